"""The data dictionary of a REDCap project, in both of its spellings: as downloaded, and as the API names it.

Source: the headings and types of the exports in OuhscBbmc/REDCapR, inst/test-data/projects.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from reinfuse.tabular.cell_parsing import clean

_HEADINGS: Mapping[str, tuple[str, str]] = {
    "name": ("variable / field name", "field_name"),
    "form": ("form name", "form_name"),
    "kind": ("field type", "field_type"),
    "label": ("field label", "field_label"),
    "choices": ("choices, calculations, or slider labels", "select_choices_or_calculations"),
    "validation": (
        "text validation type or show slider number", "text_validation_type_or_show_slider_number",
    ),
    "identifier": ("identifier?", "identifier"),
}  # fmt: skip
_LISTED = ("radio", "dropdown", "checkbox")
_IMPLIED: Mapping[str, Mapping[str, str]] = {
    "yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"},
}  # fmt: skip
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?li)\b[^<>]*>", re.IGNORECASE)
_EMBEDDED = re.compile(r"\{\w+(?::icons)?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DictionaryField:
    """One field of a project.

    Attributes
    ----------
    kind
        ``text``, ``radio``, ``dropdown``, ``checkbox``, ``yesno``, ``calc``, ...
    choices
        Code -> label.
    validation
        ``date_ymd``, ``number_comma_decimal``, ...
    identifier
        It names a person.
    """

    name: str
    form: str
    kind: str
    label: str = ""
    choices: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    validation: str = ""
    identifier: bool = False

    @property
    def declared(self) -> str:
        """Its type, the validation beside it."""
        return f"{self.kind}, {self.validation}" if self.validation else self.kind


def is_dictionary(header: Iterable[str]) -> bool:
    """Tell whether a header is that of a data dictionary."""
    names = {clean(h).casefold() for h in header}
    return any(
        {_HEADINGS[k][i] for k in ("name", "form", "kind")} <= names for i in (0, 1)
    )  # fmt: skip


def read_fields(rows: Sequence[Sequence[str]]) -> dict[str, DictionaryField]:
    """Return the fields of a data dictionary by name, in order; its header is the first row."""
    names = [clean(h).casefold() for h in rows[0]]
    at = {key: next((names.index(s) for s in spelt if s in names), -1) for key, spelt in _HEADINGS.items()}
    fields: dict[str, DictionaryField] = {}
    for row in rows[1:]:
        entries = {k: row[j].strip() if 0 <= j < len(row) else "" for k, j in at.items()}
        kind = entries["kind"].casefold()
        if not entries["name"] or kind == "descriptive":
            continue
        choices = read_choices(entries["choices"]) if kind in _LISTED else dict(_IMPLIED.get(kind, {}))
        fields[entries["name"]] = DictionaryField(
            name=entries["name"], form=entries["form"], kind=kind, label=plain_label(entries["label"]), choices=choices,
            validation=entries["validation"].casefold(), identifier=entries["identifier"].casefold() in ("y", "yes"),
        )  # fmt: skip
    return fields


def read_choices(text: str) -> dict[str, str]:
    """Return code -> label of a list of choices; commas and HTML may stand in labels.

    Examples
    --------
    >>> read_choices("1, <b>Flu</b>, Cy | 2, None|a, A")
    {'1': 'Flu, Cy', '2': 'None', 'a': 'A'}
    """
    choices = {}
    for part in filter(str.strip, text.split("|")):
        code, comma, label = part.partition(",")
        choices[code.strip()] = plain_label(label if comma else code) or code.strip()
    return choices


def plain_label(text: str) -> str:
    """Return a label without HTML and embedded fields.

    Examples
    --------
    >>> plain_label("Grade <span class='x'>&ge; 3</span><br>(ASTCT) {crs_note}"), plain_label("<5 % blasts")
    ('Grade ≥ 3 (ASTCT)', '<5 % blasts')
    """
    return clean(html.unescape(_EMBEDDED.sub(" ", _TAG.sub("", _BREAK.sub(" ", text)))))
