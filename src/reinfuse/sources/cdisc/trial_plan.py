"""The plan of a trial's own times to events: its parameters as declared endpoints, its arms as a factor."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.cohort.endpoint_catalog import ENDPOINTS
from reinfuse.sources.cdisc.analysis_data import ARMS
from reinfuse.sources.cdisc.infusion_dates import infusion_of
from reinfuse.sources.cdisc.variables import Variables
from reinfuse.sources.clocks import DAYS_SUFFIX
from reinfuse.sources.imported import Imported
from reinfuse.sources.source_map import WIDE_SHEET
from reinfuse.tabular.toml import toml_text

PLAN_FILE = "plan.toml"
_EVENT_SUFFIX = "_event"
_HEAD = """\
# The trial's own endpoints, named as in PARAMCD. For `reinfuse analyze COHORT --plan COHORT/plan.toml`.
title = {title}
index_infusion = {index}
confidence = 0.95
subgroups = [{arms}]  # each is analysed on its own
models = []
"""


def trial_plan(imported: Imported) -> str:
    """Return the plan of what was imported of ADTTE as TOML; empty where it was something else."""
    table = imported.tables.get(WIDE_SHEET)
    if imported.source.kind != "adam" or table is None:
        return ""
    arms = [a.casefold() for a in ARMS if a.casefold() in table.columns]
    studies = {t for s in imported.source.tables if "STUDYID" in s.positions for t in s.texts("STUDYID") if t}
    title = f"Times to events of {', '.join(sorted(studies)) or imported.source.name}"
    lines = [_HEAD.format(title=toml_text(title), index=_index(imported), arms=", ".join(toml_text(a) for a in arms))]
    factors = [*([('name = "age_years"', "per = 10.0")] if "age_years" in table.columns else []),
               *([('name = "sex"',)] if "sex" in table.columns else []),
               *((f"name = {toml_text(a)}", f"column = {toml_text(a)}") for a in arms)]  # fmt: skip
    lines += ["factors = []\n"] if not factors else []
    for settings in factors:
        lines.append("\n".join(["[[factors]]", *settings, ""]))
    for name, label in _own_endpoints(imported):
        declared = {"name": name, "label": label, "time": name + DAYS_SUFFIX, "event": name + _EVENT_SUFFIX}
        lines.append("\n".join(["[[endpoints]]", *(f"{k} = {toml_text(v)}" for k, v in declared.items()), ""]))
    return "\n".join(lines)


def _own_endpoints(imported: Imported) -> Iterator[tuple[str, str]]:
    """Yield the endpoints that are not built in, with what PARAM calls them."""
    columns = imported.tables[WIDE_SHEET].columns
    for block in imported.map.blocks:
        for column in block.fields:
            name = column.removesuffix(DAYS_SUFFIX)
            if column != name and name not in ENDPOINTS and f"{name}{_EVENT_SUFFIX}" in columns:
                yield name, _label(imported, block.sheet, block.where.get("PARAMCD", ())) or name


def _label(imported: Imported, sheet: str, codes: tuple[str, ...]) -> str:
    table = imported.source.table(sheet)
    if table is None or not {"PARAMCD", "PARAM"} <= set(table.positions):
        return ""
    labels = dict(zip(table.texts("PARAMCD"), table.texts("PARAM"), strict=True))
    return next((labels[c] for c in codes if labels.get(c)), "")


def _index(imported: Imported) -> int:
    """Return the infusion from which days count, by the date that they count from."""
    numbers = [infusion_of(f.since) for b in imported.map.blocks for f in b.fields.values() if f.since]
    times = (Variables(t) for t in imported.source.tables if {"PARAMCD", "STARTDT"} <= set(t.positions))
    numbers += [infusion_of(c.header) for t in times for c in t.table.columns
                if t.table.texts(c.header) == t.texts("STARTDT")]  # fmt: skip
    return max((n for n in numbers if n is not None), default=1)
