"""A cohort, read: whatever is given is first looked at for what it is, and no other format is taken for a cohort."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reinfuse.cohort import cohort as cohorts
from reinfuse.cohort.cohort import NO_COLUMNS, Cohort
from reinfuse.cohort.file_names import SHEET, WORKBOOKS
from reinfuse.cohort.near_columns import plain_name
from reinfuse.cohort.raw_frames import raw_frames
from reinfuse.cohort.raw_tables import DERIVED, ROW, CohortInput, RawCohort, read_raw
from reinfuse.cohort.schema import WIDE
from reinfuse.cohort.wide_format import MAP_COMMAND, wide_table
from reinfuse.exceptions import CohortRefused, Problem, nearest
from reinfuse.plan.analysis_plan import Plan
from reinfuse.sources.glimpse import ROWS, Glimpse
from reinfuse.sources.recognition import Recognition, recognise, recognise_rows
from reinfuse.tabular.cell_parsing import clean
from reinfuse.tabular.files import kind
from reinfuse.texts import visible

if TYPE_CHECKING:
    from reinfuse.tabular.frames import AnyFrame

_NAMES = {"redcap": "a REDCap export", "adam": "a data set of ADaM", "sdtm": "a data set of SDTM",
          "omop": "tables of OMOP", "fhir": "FHIR resources",
          "cbioportal": "a clinical file of cBioPortal"}  # fmt: skip
_XML = ".xml"
"""No file with this ending is read; what it is, is told by its beginning."""
_SHOWN = 5
"""Headers that are shown of a sheet without standard names."""


def read_cohort(
    cohort: CohortInput | AnyFrame, columns: Mapping[str, str] = NO_COLUMNS, *, used: Sequence[str] = (),
    confirmed: Sequence[str] = (),
) -> Cohort:  # fmt: skip
    """Read and check a cohort.

    Parameters
    ----------
    cohort
        A cohort folder, an .xlsx workbook, or a wide sheet (.csv, .xlsx, .parquet); or a data frame with one row a
        patient, of pandas, polars, pyarrow or any other library that narwhals reads. Tables of a cohort as data frames:
        `Cohort.from_frames`.
    columns
        For a wide sheet: standard name -> its name in the sheet (a plan's ``[columns]``).
    used
        Undeclared columns that are wanted, as factors for example, and need no warning.
    confirmed
        Kinds of implausible values (`totals`, `doses`, `times`, `events`) that somebody looked at and that are right.

    Raises
    ------
    CohortRefused
        With every problem at once; with one, where the file is in another format (REDCap, ADaM, ...).
    """
    if wrong := list(_unknown(columns)):
        raise CohortRefused(wrong)
    accepted, problems = _examine(cohort, columns, used=used, confirmed=confirmed)
    if accepted is None:
        raise CohortRefused(problems)
    return accepted


def _unknown(columns: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each name that is a slip of a standard one, or stands on the wrong side."""
    if not isinstance(columns, Mapping):
        remedy = 'give standard name -> its name in the sheet: {"os_days": "OS (days)"}'
        yield Problem(column="columns", rule=f"is of type {type(columns).__name__}, no mapping", remedy=remedy)
        return
    for standard, own in columns.items():
        if standard in WIDE.names or standard.startswith("toxicity_"):
            continue
        near = nearest(standard, WIDE.names)
        remedy = f"did you mean {near!r}?"
        if own in WIDE.names:
            remedy = f"write it the other way round: columns={{{own!r}: {standard!r}}}"
        elif not near:
            continue  # a name of the caller's own, such as that of a factor
        yield Problem(column="columns", rule=f"{standard!r} is no standard name", remedy=remedy)


def examine(path: CohortInput | AnyFrame, plan: Plan) -> tuple[Cohort | None, tuple[Problem, ...]]:
    """Read, type and check a cohort with the columns of a plan; it is None if a problem is an error."""
    wanted = plan.used_columns
    cohort, problems = _examine(path, plan.columns, used=wanted, confirmed=plan.confirmed)
    if isinstance(path, RawCohort) or cohort is None or plan.columns:
        return cohort, problems
    if unmapped := _without_standard_names(cohort.raw, _place(path), wanted=wanted):
        return None, (unmapped,)
    return cohort, problems


def _place(cohort: CohortInput | AnyFrame) -> Path:
    """Return the file or folder of a cohort; of a data frame, a name that stands for a file of it."""
    return Path(cohort) if isinstance(cohort, str | Path) else Path("FILE")


def _read(cohort: str | Path | AnyFrame) -> tuple[RawCohort | None, Recognition | None]:
    """Return what a file, folder or data frame holds, and what it looks like; nothing of what is surely no cohort."""
    if not isinstance(cohort, str | Path):
        raw = raw_frames({SHEET: cohort})
        return raw, recognise_rows(_glimpses(raw))
    path = Path(cohort)
    if path.suffix.casefold() in WORKBOOKS and kind(path) == "file":  # a large workbook is read once
        raw = read_raw(path)
        return raw, recognise_rows(_glimpses(raw)) or (None if raw.tables else recognise(path))
    recognition = recognise(path)
    unread = recognition.kind is None and path.suffix.casefold() == _XML
    sure = unread or (recognition.sure and recognition.kind in _NAMES)
    return None if sure else read_raw(path), recognition


def _examine(cohort: CohortInput | AnyFrame, columns: Mapping[str, str], *, used: Sequence[str],
             confirmed: Sequence[str]) -> tuple[Cohort | None, tuple[Problem, ...]]:  # fmt: skip
    if isinstance(cohort, RawCohort):  # imported by a map
        return cohorts.examine(cohort, columns, used=used, confirmed=confirmed)
    path = _place(cohort)
    raw, recognition = _read(cohort)
    if raw is None:
        assert recognition is not None
        return None, (_foreign(path, recognition),)
    wanted = (*columns.values(), *used)
    if recognition and recognition.kind in _NAMES and (recognition.sure or not _holds(raw, wanted)):
        return None, (_foreign(path, recognition),)
    accepted, problems = cohorts.examine(raw, columns, used=used, confirmed=confirmed)
    if accepted is None and not columns and (unmapped := _without_standard_names(raw, path, wanted=wanted)):
        return None, (unmapped,)
    return accepted, tuple(replace(p, remedy=p.remedy.replace(MAP_COMMAND, map_command(path))) for p in problems)


def _foreign(path: Path, recognition: Recognition) -> Problem:
    if recognition.kind is None:
        rule, _, remedy = recognition.why.partition(": ")
        return Problem(value=path.name, rule=f"is {rule}", remedy=remedy)
    remedy = f"`{map_command(path)}` proposes how it becomes a cohort, and `reinfuse import` makes one"
    name = _NAMES[recognition.kind]
    why = recognition.why.removeprefix(f"{name}: ")
    return Problem(rule=f"this looks like {name} ({why}), not like a cohort", remedy=remedy)


def _without_standard_names(raw: RawCohort, path: Path, *, wanted: Iterable[str] = ()) -> Problem | None:
    """Return what is wrong with a sheet in whose first row no name is a standard one, or one that a plan reads.

    Parameters
    ----------
    wanted
        Names of columns that a plan reads.
    """
    if not raw.wide or _holds(raw, (*_standard(raw), *wanted)):
        return None
    headers = [c for c in raw.tables[SHEET].frame.columns if DERIVED not in c]
    more = f" and {len(headers) - _SHOWN} more" if len(headers) > _SHOWN else ""
    first = ", ".join(repr(visible(h, 40)) for h in headers[:_SHOWN])
    where, remedy = "in the first row of the sheet", "or map the columns under [columns] in the plan"
    if raw.path is None:
        where, remedy = "of a column", 'or name the columns: columns={"os_days": "its name", ...}'
    return Problem(table=SHEET, rule=f"no name {where} is a standard one ({first}{more})",
                   remedy=f"`{map_command(path)}` proposes what each column is; {remedy}")  # fmt: skip


def map_command(path: Path) -> str:
    """Return the command that proposes how a file becomes a cohort."""
    return MAP_COMMAND.replace("FILE", shlex.quote(str(path)))


def _standard(raw: RawCohort) -> tuple[str, ...]:
    return wide_table(raw.tables[SHEET].frame.columns).names


def _holds(raw: RawCohort, names: Iterable[str]) -> bool:
    """Tell whether a table has a column of one of these names."""
    plain = {plain_name(n) for n in names}
    return any(plain_name(c) in plain for t in raw.tables.values() for c in t.frame.columns if DERIVED not in c)


def _glimpses(raw: RawCohort) -> list[Glimpse]:
    """Return the first rows of what was read."""
    frames = {name: t.frame.drop(ROW).head(ROWS) for name, t in raw.tables.items()}
    return [Glimpse(name, [f.columns, *([clean(c) for c in row] for row in f.iter_rows())])
            for name, f in frames.items()]  # fmt: skip
