"""One cell of a centre's file, understood as one column of a cohort's table."""

from __future__ import annotations

import re
from collections.abc import Callable

from reinfuse.cohort.lymphodepletion import regimen_class
from reinfuse.cohort.schema import Column
from reinfuse.sources.values.dates import EARLIEST_BIRTH, read_source_date, without_date
from reinfuse.sources.values.doses import read_dose
from reinfuse.sources.values.grades import read_grade
from reinfuse.sources.values.residual_disease import UNDETECTABLE, read_mrd
from reinfuse.sources.values.responses import read_response
from reinfuse.sources.values.understood import (
    MISSING_CELL,
    Understood,
    is_foreign_missing,
    number_text,
    plain,
    unaccented,
)
from reinfuse.sources.values.units import days_in
from reinfuse.sources.values.vital_status import cause_beside, read_vital_status
from reinfuse.sources.values.words import YES_NO, declaration, read_choice, read_diagnosis, read_yes_no
from reinfuse.tabular.cell_parsing import MISSING, UNSAID, clean, is_fault, read_number

_UNITS_BEHIND = re.compile(
    r"\s*(?:years?|yrs?|y|jahre?|j|ans|anos|lines?|linien|days?|tage?|d|months?|mo|monate?|weeks?|岁|歳|%|cells?/[uµμ]l|kg)\.?"
)
_OF_SIGN = frozenset({"-", "--", "–", "—", "+"})
"""Negative results in one sheet, missing values in the next."""
_UNKNOWN = frozenset({"unk", "unk."})
_NOT_ASSESSED = frozenset({"nb", "nf", "n.v.", "n.v"})
"""Not known or not done, in columns of what is assessed; NB is a disease among diagnoses."""
_ASSESSED = ("result", "value", "response", "umrd_day28")
_SIGNED = ("result", "umrd_day28", "mrd")


def understand(column: str, text: str, *, unit: str = "", order: str = "", mark: str | None = ".") -> Understood | None:
    """Understand one cell as a column of the cohort.

    Parameters
    ----------
    column
        The cohort's column (``response``, ``dose_cells_per_kg``, ``date``, ...), with its table before it where two
        tables have one of that name (``therapies.kind``; ``counts.value``).
    text
        The cell.
    unit
        Of plain numbers: ``1e6 cells/kg``, ``cells``, ``months``, ``percent``.
    order
        Order of day, month and year in dates of numbers: ``dmy``, ``mdy``, ``ymd``; empty if nobody said.
    mark
        Decimal mark of the column (`tabular.cell_parsing.decimal_mark`); None if it is open.

    Returns
    -------
    Understood or None
        Its `parts` have the column's own name where the cell tells it. Dates may be cut short (``2019-03``). A dose is
        `dose_cells_per_kg` where the cell or the unit says per kg, `dose_cells` for all cells, `dose` where neither
        says so. `parts` is empty for a missing value. None where the text is not understood, or has two readings.

    Examples
    --------
    >>> understand("response", "CR MRD-").parts, understand("dose_cells_per_kg", "120 Mio").parts
    ({'response': 'CR', 'mrd': 'undetectable'}, {'dose': '120000000'})
    >>> understand("date", "03/04/2021"), understand("date", "03/04/2021", order="dmy").parts
    (None, {'date': '2021-04-03'})
    """
    text = clean(text)
    name = column.rpartition(".")[2]
    low = text.casefold()
    if is_fault(text):
        return None
    if low in _NOT_ASSESSED and name in _ASSESSED:
        return MISSING_CELL
    unsaid = low in UNSAID or low in _UNKNOWN
    if low in MISSING or is_foreign_missing(text) or (unsaid and name != "death_cause"):
        signed = low in _OF_SIGN and name in _SIGNED
        # an empty cell says `alive`: a word for `not known` must not
        is_unsaid = name == "death" and (unsaid or is_foreign_missing(text))
        return None if signed or is_unsaid else MISSING_CELL
    reader = _READERS.get(column) or _READERS.get(name)
    if reader is not None:
        return reader(name, text, unit, order, mark)
    declared = declaration(column)
    return Understood({name: text}) if declared is None else _by_kind(declared, text, unit=unit, order=order, mark=mark)


def _by_kind(column: Column, text: str, *, unit: str, order: str, mark: str | None) -> Understood | None:
    """Understand a cell by the kind of its column alone."""
    name = column.name
    match column.kind:
        case "regimen":
            return _regimen(name, text)
        case "date" | "when":
            return _date(name, text, unit=unit, order=order, mark=mark)
        case "number" | "integer" | "day":
            return _number(name, text, unit, order, mark)
        case "yes_no":
            return _renamed(read_yes_no(text), "yes_no", new=name)
        case "choice":
            return read_choice(name, text) or (Understood({name: text}) if column.free and not text.isdigit() else None)
        case _:
            return Understood({name: text})


def _regimen(name: str, text: str) -> Understood | None:
    """Return the text as it stands where its class is understood; the cohort classes it again."""
    group = regimen_class(text)
    if group is None:
        return None
    return Understood({name: text, "class": group})


def _date(name: str, text: str, *, unit: str, order: str, mark: str | None) -> Understood | None:
    del unit, mark
    day = read_source_date(text, order)
    return None if day is None else Understood({name: day.iso}, day.how)


def _birth(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    """Read a date of birth, from 1900 on."""
    del name, unit, mark
    day = read_source_date(text, order, earliest=EARLIEST_BIRTH)
    return None if day is None else Understood({"date": day.iso}, day.how)


def _if_any(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    """Read the date of an event; ``no`` says that there was none."""
    if YES_NO.get(unaccented(plain(text))) == "no" and not text.isdigit():
        return MISSING_CELL
    return _date(name, text, unit=unit, order=order, mark=mark)


def _assessed(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    """Read the date of a response, alone or beside the word for a progression: ``PD 4/18/22``."""
    dated = _if_any(name, text, unit, order, mark)
    if dated is not None:
        return dated
    told = read_response(text, order=order)
    if told is None or "date" not in told.parts or told.parts["response"] != "PD":
        return None
    return Understood({name: told.parts["date"]}, "date beside the progression")


def _vital(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    """Read death or last contact: a date alone is what the column says, a word beside it prevails."""
    del unit, mark
    status = read_vital_status(text, order=order)
    if status is None:
        return None
    parts = dict(status.parts)
    day = parts.pop("date", None)
    if day is not None and "status" not in parts:
        parts[name] = day
    if day is not None and name == "last_contact":
        parts.setdefault("last_contact", day)
    return Understood(parts, status.how)


def _dose(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    del order
    dose = read_dose(text, unit=unit, mark=mark)
    if dose is None:
        return None
    part = {"kg": name, "total": "dose_cells", "": "dose"}[dose.per]
    return Understood({part: number_text(dose.cells)}, dose.how)


def _number(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    """Read a number, with its unit behind it; times become days."""
    del order
    bare = _UNITS_BEHIND.sub("", unaccented(plain(text))) if re.match(r"[\d+-]", text) else text
    if bare != plain(text) and not re.fullmatch(r"[+-]?[\d.,]+", bare):
        return None
    number = read_number(bare, mark)
    if not isinstance(number.value, float):
        return None
    value, how = number.value, number.how or ("" if bare == plain(text) else "number with its unit")
    days = days_in(unit)
    if days is not None and days != 1:
        value, how = value * days, f"{unit} x {days:g} days"
    if unit == "percent":
        value, how = value / 100, "percent as a fraction"
    return Understood({name: number_text(value)}, how)


def _response(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    del name, unit, mark
    return read_response(text, order=order)


def _grade(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    del unit, order, mark
    grade = read_grade(text)
    return _renamed(grade, "grade", new=name)


def _mrd(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    """Read a result of MRD; a plain 0 or 1 is a code, and no fraction, where a result is meant."""
    if name == "result" and text.isdigit():
        return None
    plainly = read_mrd(text, unit=unit, mark=mark)
    rest, day = without_date(text, order=order) if plainly is None else ("", "")
    told = read_mrd(rest, unit=unit, mark=mark) if day and rest else None
    return plainly if told is None else Understood({**told.parts, "date": day}, "result of MRD with its date")


def _undetectable(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    """Read `umrd_day28`: yes or no, or a result."""
    answer = read_yes_no(text)
    if answer is not None:
        return _renamed(answer, "yes_no", new=name)
    residual = _mrd("result", text, unit, order, mark)
    if residual is None or "result" not in residual.parts:
        return None
    return Understood({name: "yes" if residual.parts["result"] == UNDETECTABLE else "no"}, residual.how)


def _cause(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    """Read a cause of death, alone or beside what tells of the death: ``RIP 03/02/21 (PD)``."""
    del name, unit, order, mark
    return read_choice("death_cause", text) or cause_beside(text)


_INFUSION = re.compile(
    r"(?:(?:cd19 ?)?car[ -]?t?[ -]?(?:cells?|19)?|infusion|inf|no|nr|#|dose|course)?\.?\s*[#-]?\s*"
    r"第?\s*([1-9])\s*(?:[次回]|\.0|\.|st|nd|rd|th|a|o|°|er|ere|re|e|eme|de|te)?\s*(?:car[ -]?t?|infusion|inf\.?)?"
)
_ORDINALS = {"first": "1", "second": "2", "third": "3", "fourth": "4", "initial": "1", "i": "1", "ii": "2", "iii": "3",
             "iv": "4", "erste": "1", "zweite": "2", "dritte": "3", "primera": "1", "segunda": "2",
             "tercera": "3"}  # fmt: skip


def _infusion(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    """Read the number of an infusion: ``2``, ``2nd``, ``#2``, ``CART2``, ``second``."""
    del unit, order, mark
    low = unaccented(plain(text))
    match = _INFUSION.fullmatch(low)
    number = match[1] if match else _ORDINALS.get(low)
    return None if number is None else Understood({name: number}, "" if number == text else "number of the infusion")


_AGE_AND_SEX = re.compile(
    r"(\d{1,3})\s*(?:y(?:rs?|ears?)?|yo|j)?\s*[/,; -]?\s*([mfwMFW])|([mfwMFW])\s*[/,; -]?\s*(\d{1,3})"
)


def _of_both(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    """Read age or sex, alone or both in one cell: ``63M``, ``F/58``."""
    both = _AGE_AND_SEX.fullmatch(plain(text))
    if both is None:
        declared = declaration(name)
        assert declared is not None
        return _by_kind(declared, text, unit=unit, order=order, mark=mark)
    sex = read_choice("sex", both[2] or both[3])
    assert sex is not None
    return Understood({"age_years": both[1] or both[4], **sex.parts}, "age and sex in one cell")


def _diagnosis(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
    del name, unit, order, mark
    return read_diagnosis(text)


def _choice_of_kind(table: str) -> _Reader:
    """Return the reader of the `kind` of a table: other words are kept where the contract takes any text."""

    def reader(name: str, text: str, unit: str, order: str, mark: str | None) -> Understood | None:
        del unit, order, mark
        choice = read_choice(f"{table}.{name}", text)
        return choice or (Understood({name: text}) if table == "toxicities" and not text.isdigit() else None)

    return reader


def _renamed(meaning: Understood | None, old: str, *, new: str) -> Understood | None:
    if meaning is None:
        return None
    return Understood({new if part == old else part: value for part, value in meaning.parts.items()}, meaning.how)


_Reader = Callable[[str, str, str, str, str | None], Understood | None]
_READERS: dict[str, _Reader] = {
    "birth": _birth, "responses.date": _assessed, "therapies.date": _if_any, "death": _vital, "last_contact": _vital,
    "dose_cells_per_kg": _dose, "cart1_dose_cells_per_kg": _dose,
    "cart2_dose_cells_per_kg": _dose, "response": _response, "grade": _grade, "crs_grade": _grade,
    "icans_grade": _grade, "nt_grade": _grade, "result": _mrd, "mrd.value": _mrd, "umrd_day28": _undetectable,
    "diagnosis": _diagnosis, "death_cause": _cause, "infusion": _infusion,
    "age_years": _of_both, "sex": _of_both, "therapies.kind": _choice_of_kind("therapies"),
    "toxicities.kind": _choice_of_kind("toxicities"),
}  # fmt: skip
