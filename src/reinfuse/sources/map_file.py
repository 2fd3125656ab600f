"""A map as a TOML file: read, with everything that is wrong with it told at once (written by `map_text`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, get_args

from reinfuse.cohort.near_columns import plain_name
from reinfuse.cohort.plausibility import CONFIRMABLE
from reinfuse.cohort.schema import TABLES
from reinfuse.exceptions import MapRefused, Problem, nearest
from reinfuse.sources.map_text import map_text
from reinfuse.sources.records.reading_rules import faults
from reinfuse.sources.source_map import (
    BLOCK_TABLES,
    EMPTY_GRADES,
    EMPTY_MEANINGS,
    FIRST_DAY,
    FIRST_DAYS,
    ID_RULES,
    OPEN,
    OWN_INFUSION,
    UNITS,
    Answer,
    Block,
    Field,
    SourceMap,
)
from reinfuse.sources.source_table import SheetLayout, SourceKind
from reinfuse.sources.values.dates import BIRTH_PARTIALS, BY_YEAR, ORDERS
from reinfuse.sources.values.doses import dose_unit
from reinfuse.tabular.files import Unreadable, read_bytes
from reinfuse.tabular.limits import MAP_BYTES
from reinfuse.tabular.toml import NotToml, parse_toml

__all__ = ["load_map", "map_text", "read_map"]
MAP = "map"
_MISSPELT = 0.8
_REMEDY = "correct the map"
_SOURCE_KEYS = ("kind", "fingerprint", "date_order", "ids", "confirmed")
_SHEET_KEYS = ("sheet", "header_rows", "data_from", "drop_rows", "keep_rows", "ignored")
_BLOCK_KEYS = ("sheet", "where")
Kinds = type | tuple[type, ...]
_NO_TEXTS: Mapping[str, Kinds] = {
    "day": int, "shift": int, "confirm": bool, "where": dict, "ticked": dict, "const": (str, int, float),
    "empty": (str, int),
}  # fmt: skip
_FIELD_TYPES: Mapping[str, Kinds] = {
    f.name: _NO_TEXTS.get(f.name, str) for f in fields(Field) if f.name not in ("reason", "confidence")
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "order": ORDERS,
    "partial": BIRTH_PARTIALS,
    "unit": UNITS,
    "first": FIRST_DAYS,
    "empty": EMPTY_MEANINGS,
}
_INFUSION = re.compile(r"infusion [1-9]\d?")
_PLACEHOLDER = re.compile(r"\{(?:date|value)\}")
_WORDS: Mapping[Kinds, str] = {
    str: "a text in quotation marks", int: "a whole number", bool: "true or false", list: "a list in square brackets",
    dict: "a table", (str, int, float): "a text or a number", (str, list): "a text, or a list of texts",
    (str, dict): "a text, or parts in braces", (list, dict): "a block, [NAME] or [[NAME]]",
    (str, int, float, dict): "a column's header, a number, or settings in braces",
}  # fmt: skip


def load_map(path: Path) -> SourceMap:
    """Read a map from its file.

    Raises
    ------
    MapRefused
        With everything that is wrong with it.
    """
    try:
        return read_map(parse_toml(read_bytes(path, MAP_BYTES)))
    except Unreadable as wrong:
        problem = Problem(table=MAP, value=str(path), rule=wrong.rule, remedy=wrong.remedy)
    except NotToml as why:
        problem = Problem(table=MAP, value=str(path), rule=str(why), remedy="give the file that `reinfuse map` wrote")
    raise MapRefused([problem])


def read_map(contents: Mapping[str, Any]) -> SourceMap:
    """Make a map of the contents of its TOML file.

    Raises
    ------
    MapRefused
        With everything that is wrong with it.
    """
    reader = _Reader()
    source_map = reader.whole(contents)
    if reader.problems or source_map is None:
        raise MapRefused(reader.problems)
    return source_map


class _Reader:
    """Reads the parts of a map and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def whole(self, contents: Mapping[str, Any]) -> SourceMap | None:
        names = ("source", "questions", "reading", "sheets", "values", *BLOCK_TABLES)
        self._unknown("", contents, names=names)
        head = self._typed("", contents, key="source", kind=dict, default={})
        self._unknown("source", head, names=_SOURCE_KEYS)
        kind = self._kind(head)
        order = self._chosen(
            "source.date_order", self._typed("source", head, key="date_order", kind=str, default=""), ORDERS
        )
        ids = self._chosen("source.ids", self._typed("source", head, key="ids", kind=str, default="keep"), ID_RULES)
        layouts, ignored = self._sheets(self._typed("", contents, key="sheets", kind=list, default=[]))
        blocks = tuple(b for name in BLOCK_TABLES for b in self._blocks(name, contents))
        self._near_columns(blocks)
        values = {name: self._dictionary(f"values.{name}", words)
                  for name, words in self._typed("", contents, key="values", kind=dict,
                                                 default={}).items()}  # fmt: skip
        questions = self._texts("questions", self._typed("", contents, key="questions", kind=dict, default={}))
        for name, choices in ((FIRST_DAY, FIRST_DAYS), (EMPTY_GRADES, EMPTY_MEANINGS)):
            self._chosen(f"questions.{name}", questions.get(name, ""), choices)
        fingerprint = self._typed("source", head, key="fingerprint", kind=str, default="")
        confirmed = tuple(str(c) for c in self._typed("source", head, key="confirmed", kind=list, default=[]))
        for one in confirmed:
            self._chosen("source.confirmed", one, CONFIRMABLE)
        reading = self._typed("", contents, key="reading", kind=dict, default={})
        self.problems += faults(reading)
        if kind is None:
            return None
        return SourceMap(kind, fingerprint, blocks, order, ids, layouts, values, ignored, questions, confirmed, reading)

    def _kind(self, head: Mapping[str, Any]) -> SourceKind | None:
        kinds: tuple[SourceKind, ...] = get_args(SourceKind)
        kind = next((k for k in kinds if k == head.get("kind")), None)
        if kind is None:
            rule = "does not say of what kind the source is" if "kind" not in head else "is no kind of source"
            self._refuse("source.kind", rule, f"write one of: {', '.join(kinds)}", value=head.get("kind"))
        return kind

    def _sheets(self, sheets: list[Any]) -> tuple[dict[str, SheetLayout], dict[str, dict[str, str]]]:
        layouts: dict[str, SheetLayout] = {}
        ignored: dict[str, dict[str, str]] = {}
        for number, sheet in enumerate(sheets, 1):
            place = f"sheets[{number}]"
            if not isinstance(sheet, dict):
                self._refuse(place, "is no table", "write [[sheets]] above it")
                continue
            self._unknown(place, sheet, names=_SHEET_KEYS)
            name = self._typed(place, sheet, key="sheet", kind=str, default="")
            if name in layouts or name in ignored:
                self._refuse(place, "describes a sheet that an earlier one describes", "keep one of them", value=name)
            if layout := self._layout(place, name, sheet):
                layouts[name] = layout
            left = self._texts(f"{place}.ignored", self._typed(place, sheet, key="ignored", kind=dict, default={}))
            if left:
                ignored[name] = left
        return layouts, ignored

    def _layout(self, place: str, name: str, sheet: Mapping[str, Any]) -> SheetLayout | None:
        if not {"header_rows", "data_from", "drop_rows", "keep_rows"} & set(sheet):
            return None
        heads = self._typed(place, sheet, key="header_rows", kind=list, default=[1])
        drop, keep = (self._typed(place, sheet, key=key, kind=list, default=[]) for key in ("drop_rows", "keep_rows"))
        first = self._typed(
            place, sheet, key="data_from", kind=int, default=1 + max((h for h in heads if type(h) is int), default=1)
        )
        if not heads or not all(type(h) is int and h > 0 for h in heads) or sorted(set(heads)) != heads:
            self._refuse(f"{place}.header_rows", "are no row numbers in order", "such as header_rows = [3, 4]")
            return None
        if first <= heads[-1]:
            self._refuse(f"{place}.data_from", "is not below the header", "give the first row of data", value=first)
        for key, texts in (("drop_rows", drop), ("keep_rows", keep)):
            if not all(isinstance(text, str) for text in texts):
                self._refuse(f"{place}.{key}", "are no texts", f'such as {key} = ["Total"]')
                return None
        return SheetLayout(name, tuple(heads), first, tuple(drop), tuple(keep))

    def _blocks(self, name: str, contents: Mapping[str, Any]) -> Iterable[Block]:
        blocks = self._typed("", contents, key=name, kind=(list, dict), default=[])
        blocks = [blocks] if isinstance(blocks, dict) else blocks
        for number, block in enumerate(blocks, 1):
            place = name if len(blocks) == 1 else f"{name}[{number}]"
            if not isinstance(block, dict):
                self._refuse(place, "is no table", f"write [[{name}]] above it")
                continue
            sheet = self._typed(place, block, key="sheet", kind=str, default="")
            where = self._where(f"{place}.where", self._typed(place, block, key="where", kind=dict, default={}))
            columns = {c: self._field(f"{place}.{c}", f) for c, f in block.items() if c not in _BLOCK_KEYS}
            yield Block(name, sheet, {c: f for c, f in columns.items() if f is not None}, where)

    def _where(self, place: str, where: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        rows = {}
        for header in where:
            texts = self._typed(place, where, key=header, kind=(str, list), default="")
            texts = [texts] if isinstance(texts, str) else texts
            if not texts or not all(isinstance(t, str) for t in texts):
                self._refuse(f"{place}.{header}", "is no text and no list of texts", 'such as ["1", "2"]')
            else:
                rows[header] = tuple(texts)
        return rows

    def _field(self, place: str, written: object) -> Field | None:
        if not self._is(place, written, kind=(str, int, float, dict)):
            return None
        if isinstance(written, str):
            return Field(column=written)
        if not isinstance(written, dict):
            return Field(const=str(written))
        before = len(self.problems)
        self._unknown(place, written, names=tuple(_FIELD_TYPES))
        settings = {
            k: self._typed(place, written, key=k, kind=_FIELD_TYPES[k], default=None)
            for k in written
            if k in _FIELD_TYPES
        }
        for key, choices in _CHOICES.items():
            if isinstance(settings.get(key), str) and not (key == "unit" and _is_dose_unit(settings[key])):
                self._chosen(f"{place}.{key}", settings[key], choices)
        if "where" in settings:
            settings["where"] = self._where(f"{place}.where", settings["where"] or {})
        if "ticked" in settings:
            settings["ticked"] = self._texts(f"{place}.ticked", settings["ticked"] or {})
        settings |= {k: str(settings[k]) for k in ("const", "empty") if k in settings}
        if len(self.problems) == before:
            self._contradictions(place, settings)
        return Field(**settings) if len(self.problems) == before else None

    def _contradictions(self, place: str, settings: Mapping[str, Any]) -> None:
        pattern = settings.get("pattern")
        if pattern and len(_PLACEHOLDER.findall(pattern)) != 1:
            self._refuse(f"{place}.pattern", "does not hold {date} or {value} once", 'such as "died {date}"')
        after = settings.get("after")
        if after and after not in (OPEN, OWN_INFUSION) and not _INFUSION.fullmatch(after):
            rule = "names no infusion from which a day counts"
            self._refuse(f"{place}.after", rule, 'such as "infusion 2"; "infusion": that of the same row', value=after)
        until = settings.get("until")
        if until and not (_INFUSION.fullmatch(until) and settings.get("column")):
            rule = "names no infusion until which the years of age are counted from the date of birth in `column`"
            self._refuse(f"{place}.until", rule, 'such as "infusion 1"', value=until)
        if settings.get("partial") == BY_YEAR and not until:
            self._refuse(f"{place}.partial", "is a setting of dates of birth alone", "first, middle, last or refuse")
        if "empty" in settings and not place.endswith(".grade"):
            self._refuse(f"{place}.empty", "is a setting of grades alone", "take it away")
        if not {"column", "const", "ticked", "day", "after"} & set(settings):
            self._refuse(place, "does not say what it is filled from", "give column, const, ticked, or after and day")

    def _near_columns(self, blocks: Iterable[Block]) -> None:
        """Refuse columns whose names are nearly those of declared ones."""
        names: dict[str, dict[str, None]] = {}
        for block in blocks:
            names.setdefault(block.table, {}).update(dict.fromkeys(block.fields))
        for table, columns in names.items():
            lacking = [c for c in TABLES[table].names if c not in columns] if table in TABLES else []
            for column in columns:
                near = None if table not in TABLES or TABLES[table].column(column) else nearest(column, lacking)
                if near and SequenceMatcher(None, plain_name(column), plain_name(near)).ratio() >= _MISSPELT:
                    remedy = f"name it {near} if it is that; else give it a name less like it"
                    self._refuse(f"{table}.{column}", f"is no column of {table}, but nearly one", remedy)

    def _dictionary(self, place: str, words: object) -> dict[str, Answer]:
        if not self._is(place, words, kind=dict):
            return {}
        assert isinstance(words, dict)
        answers: dict[str, Answer] = {}
        for word in words:
            answer = self._typed(place, words, key=word, kind=(str, dict), default="")
            answers[word] = answer if isinstance(answer, str) else self._texts(f"{place}.{word}", answer)
        return answers

    def _texts(self, place: str, table: Mapping[str, Any]) -> dict[str, str]:
        """Return a table of texts; whole numbers are taken as texts."""
        texts = {k: self._typed(place, table, key=k, kind=(str, int, float), default="") for k in table}
        return {k: str(t) for k, t in texts.items()}

    def _typed(self, place: str, table: Mapping[str, Any], *, key: str, kind: Kinds, default: Any) -> Any:
        """Return a value of the type that it must have; the default where it is lacking or of another type."""
        where = f"{place}.{key}" if place else key
        value = table.get(key, default)
        return value if key not in table or self._is(where, value, kind=kind) else default

    def _is(self, place: str, value: object, *, kind: Kinds) -> bool:
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if not fits:
            self._refuse(place, f"is not {_WORDS[kind]}", _REMEDY, value=None if isinstance(value, dict) else value)
        return fits

    def _chosen(self, place: str, value: str, choices: tuple[str, ...]) -> str:
        if value and value != OPEN and value not in choices:
            near = nearest(value, choices)
            hint = f"did you mean {near!r}? " if near else ""
            remedy = f"{hint}use one of: {', '.join(choices)}"
            self._refuse(place, "is not one of the words for it", remedy, value=value)
        return value

    def _unknown(self, place: str, table: Mapping[str, Any], *, names: tuple[str, ...]) -> None:
        for key in table:
            if key not in names:
                near = nearest(key, names)
                remedy = f"did you mean {near}?" if near else f"take it away; known are: {', '.join(names)}"
                self._refuse(f"{place}.{key}" if place else key, "is not a setting of a map", remedy)

    def _refuse(self, place: str, rule: str, remedy: str, *, value: object = None) -> None:
        shown = None if value is None else str(value)
        self.problems.append(Problem(table=MAP, column=place, value=shown, rule=rule, remedy=remedy))


def _is_dose_unit(unit: str) -> bool:
    """Tell whether a unit is one of doses with another power of ten: ``1e7 cells/kg``."""
    return str(dose_unit(unit)) == unit
