"""The columns of a REDCap export: each with the field or the purpose that its heading names, under names or labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reinfuse.sources.redcap.dictionary import DictionaryField, plain_label
from reinfuse.tabular.cell_parsing import clean

Role = Literal["record", "event", "instrument", "instance", "group", "survey", "complete", "box", "field"]
EVENT, INSTRUMENT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
GROUP, SURVEY = "redcap_data_access_group", "redcap_survey_identifier"
_NAMED: Mapping[str, Role] = {
    EVENT: "event", INSTRUMENT: "instrument", INSTANCE: "instance", GROUP: "group", SURVEY: "survey",
    "redcap_survey_timestamp": "survey",
}  # fmt: skip
_LABELLED: Mapping[str, str] = {
    "event name": EVENT, "repeat instrument": INSTRUMENT, "repeat instance": INSTANCE, "data access group": GROUP,
    "survey identifier": SURVEY,
}  # fmt: skip
_COMPLETE, _COMPLETE_LABEL = "_complete", "complete?"
_VARIABLE = re.compile(r"[a-z][a-z0-9_]*")
_BOX = re.compile(r"([a-z]\w*?)___(\w+)")
_BOX_LABEL = re.compile(r"(.*) \(choice=(.*)\)", re.DOTALL)
_BOX_LABEL_CONTINUED = re.compile(r"(.*) \(choice=((?:[^()]|\([^()]*\))*)\)(\s*[^\s)].*)", re.DOTALL)
"""What a centre wrote behind a label, as it put events side by side: ``Agents (choice=Cy) (Infusion 2)``."""
_FEWEST_BOXES = 2


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column of an export.

    Attributes
    ----------
    name
        Field's name; of a box, that of its field; of a form's status, the form.
    code
        Choice of a check box, as the dictionary spells it where there is one.
    """

    position: int
    role: Role
    name: str
    form: str = ""
    field: DictionaryField | None = None
    code: str = ""


def is_export(header: Sequence[str]) -> str:
    """Return what tells that a header is that of an export of REDCap; nothing if it is none.

    Every export ends each form with its status, so that the last column of all is one.
    """
    names = [clean(h).casefold() for h in header if h.strip()]
    if hits := [n for n in names if n in _NAMED]:
        return ", ".join(hits[:3])
    if hits := [n for n in names if n in _LABELLED]:
        return ", ".join(hits[:3]) if len(hits) > 1 or _COMPLETE_LABEL in names else ""
    if _COMPLETE_LABEL in names:
        return _COMPLETE_LABEL
    boxes = [n for n in names if _BOX.fullmatch(n)]
    if len(boxes) >= _FEWEST_BOXES:
        return ", ".join(boxes[:3])
    ends = [n for n in names if n.endswith(_COMPLETE) and n != _COMPLETE]
    if ends and all(_VARIABLE.fullmatch(n) for n in names) and (names[-1] in ends or names[0] == "record_id"):
        return ", ".join(ends[:3])
    return ""


def export_columns(header: Sequence[str], fields: Mapping[str, DictionaryField]) -> list[ExportColumn]:
    """Return the columns of an export, in order; those without a form in the dictionary get that of their place."""
    names = [clean(h) for h in header]
    labelled = _is_labelled(names, fields)
    columns = list(_by_label(names, fields) if labelled else _by_name(names, fields))
    form, placed = "", []
    for column in reversed(columns):  # a form's status stands behind its fields
        form = column.name if column.role == "complete" else form
        own = column.form or (form if column.role in ("field", "box", "record") else "")
        placed.append(ExportColumn(column.position, column.role, column.name, own, column.field, column.code))
    return placed[::-1]


def _is_labelled(names: Sequence[str], fields: Mapping[str, DictionaryField]) -> bool:
    low = {n.casefold() for n in names}
    if low & _NAMED.keys():
        return False
    if low & _LABELLED.keys() or _COMPLETE_LABEL in low:
        return True
    labels = {f.label for f in fields.values()}
    return sum(n in labels for n in names) > sum(n in fields for n in names)


def _by_name(names: Sequence[str], fields: Mapping[str, DictionaryField]) -> Iterable[ExportColumn]:
    forms = {f.form for f in fields.values()}
    for j, name in enumerate(names):
        box = _BOX.fullmatch(name)
        form = name.removesuffix(_COMPLETE)
        if j == 0:
            one = fields.get(name)
            yield ExportColumn(j, "record", name, one.form if one else "", one)
        elif name in _NAMED:
            yield ExportColumn(j, _NAMED[name], name)
        elif name in fields:
            yield ExportColumn(j, "field", name, fields[name].form, fields[name])
        elif name.endswith("_timestamp") and (not fields or name.removesuffix("_timestamp") in forms):
            yield ExportColumn(j, "survey", name)
        elif name.endswith(_COMPLETE) and (not fields or form in forms):
            yield ExportColumn(j, "complete", form)
        elif box:
            one = fields.get(box[1])
            yield ExportColumn(j, "box", box[1], one.form if one else "", one, _code(box[2], one))
        else:
            yield ExportColumn(j, "field", name)


def _code(spelt: str, field: DictionaryField | None) -> str:
    """Return a choice's code as the dictionary has it: headings spell ``-1`` as ``_1`` and ``A`` as ``a``."""
    codes = field.choices if field else ()
    return next((c for c in codes if re.sub(r"\W", "_", c.casefold()) == spelt.casefold()), spelt)


def _by_label(names: Sequence[str], fields: Mapping[str, DictionaryField]) -> Iterable[ExportColumn]:
    """Yield columns under labels: fields stand in the order of the dictionary, and labels may be there twice."""
    left = list(fields.values())
    forms = list(dict.fromkeys(f.form for f in fields.values()))
    current, ended = "", 0
    for j, name in enumerate(names):
        low = name.casefold()
        if j == 0:
            one = left.pop(0) if left else None
            yield ExportColumn(j, "record", one.name if one else name, one.form if one else "", one)
        elif low in _LABELLED:
            yield ExportColumn(j, _NAMED[_LABELLED[low]], _LABELLED[low])
        elif low == _COMPLETE_LABEL:
            ended += 1
            form = current or (forms[ended - 1] if ended <= len(forms) else f"form {ended}")
            yield ExportColumn(j, "complete", form)
            current = ""
        elif low == "survey timestamp":
            yield ExportColumn(j, "survey", name)
        else:
            column = _labelled_field(j, name, left=left)
            current = column.form or current
            yield column


def _labelled_field(j: int, name: str, *, left: list[DictionaryField]) -> ExportColumn:
    """Return the column of the next field with that label; a field with boxes is used as often as it has them."""
    box, continued = _BOX_LABEL.fullmatch(name), _BOX_LABEL_CONTINUED.fullmatch(name)
    for one in left:
        if one.label == plain_label(name) and one.kind != "checkbox":
            left.remove(one)
            return ExportColumn(j, "field", one.name, one.form, one)
        if box and one.kind == "checkbox" and one.label == plain_label(box[1]):
            code = next((c for c, label in one.choices.items() if label == plain_label(box[2])), box[2])
            return ExportColumn(j, "box", one.name, one.form, one, code)
    if continued:
        return ExportColumn(j, "box", f"{continued[1]} {continued[3].strip()}", code=continued[2])
    if box:
        return ExportColumn(j, "box", box[1], code=box[2])
    return ExportColumn(j, "field", name)
