"""The tables of docs/plan.md and docs/methods.md that list the analyses, as the registry declares them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from reinfuse.analyses.registry import analyses
from reinfuse.cohort.declarations import Rules
from reinfuse.cohort.estimands import INTERCURRENT, estimands
from reinfuse.plan.options import Analyses

BEGIN, END = "<!-- from the registry of analyses: {} -->", "<!-- end -->"


def switches_table() -> str:
    """Return the settings under `[analyses]`: default, what each does, which analyses it leaves out."""
    lines = ["| setting | default | what it sets | left out by it |", "|---|---|---|---|"]
    for name, field in Analyses.model_fields.items():
        if name != "further":
            out = ", ".join(a.name for a in analyses() if name in a.switches)
            lines.append(f"| `{name}` | `{json.dumps(field.default)}` | {_texts()[name]} | {out} |")
    own = [(a.own_switch, a.name) for a in analyses() if a.own_switch]
    lines += [f"| `{s.name}` | `false` | {s.text[:1].upper()}{s.text[1:]}. | {name} |" for s, name in own]
    return "\n".join(lines)


def analyses_table() -> str:
    """Return every analysis: its name, the field `analysis` of its records, what it estimates and how."""
    lines = ["| analysis | `analysis` | what | method and source |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {a.name} | `{a.records}` | {a.what} | {a.method} |" for a in analyses())])


def estimands_table() -> str:
    """Return what each endpoint makes of intercurrent events, by the rules of the built-in plan."""
    lines = [f"| endpoint | population | summary | {' | '.join(e.lower() for e in INTERCURRENT)} |"]
    lines.append("|---" * (3 + len(INTERCURRENT)) + "|")
    lines += [f"| `{e.name}` | {e.population} | {e.summary} | {' | '.join(e.strategies)} |" for e in estimands(Rules())]
    return "\n".join(lines)


def with_tables(text: str) -> str:
    """Return a document with the tables between its marks made anew."""
    for name, table in (
        ("switches", switches_table()), ("analyses", analyses_table()), ("estimands", estimands_table()),
    ):  # fmt: skip
        begin = BEGIN.format(name)
        before, mark, rest = text.partition(begin)
        if mark:
            text = f"{before}{begin}\n{table}\n{END}{rest.partition(END)[2]}"
    return text


def _texts() -> dict[str, str]:
    """Return what each setting does, from the attributes in the declaration's docstring."""
    attributes = (Analyses.__doc__ or "").partition("Attributes\n")[2]
    described = re.findall(r"^ {4}(\w+)\n((?: {8}.*\n?)+)", attributes, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in described}


def main(paths: Sequence[str]) -> None:
    """Write the tables into these documents."""
    for path in map(Path, paths):
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
