"""What the end of a study of several centres writes: report, records, and the hashes of all exchanges."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from reinfuse.output import Destination
from reinfuse.pooling.combining import PooledResults
from reinfuse.pooling.not_pooled import said_of_plan
from reinfuse.pooling.pooled_estimates import estimates
from reinfuse.report.document.docx import word
from reinfuse.report.document.html import html
from reinfuse.report.document.model import Picture
from reinfuse.report.document.pdf import pdf
from reinfuse.report.document.typst import png
from reinfuse.report.pooled.document import document
from reinfuse.results.estimate import Estimate, frame
from reinfuse.tabular.csv_files import write_csv
from reinfuse.version import __version__


def write_pooled(results: PooledResults, place: Destination) -> list[Estimate]:
    """Write report.html, .docx and .pdf, findings.json and estimates.csv, and return the records.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    records, today = estimates(results), date.today()
    whole = document(results, records, today)

    pixels = {b.name: png(b.drawn.svg) for b in whole.blocks() if isinstance(b, Picture)}

    def write(draft: Path) -> None:
        (draft / "report.html").write_text(html(whole), encoding="utf-8")
        (draft / "report.docx").write_bytes(word(whole, pixels))
        (draft / "report.pdf").write_bytes(pdf(whole))
        write_csv(frame(records), draft / "estimates.csv")
        text = json.dumps(_contents(results, records, today), indent=1, ensure_ascii=False, allow_nan=False)
        (draft / "findings.json").write_text(text + "\n", encoding="utf-8")

    place.write(write)
    return records


def _contents(results: PooledResults, records: list[Estimate], today: date) -> dict[str, Any]:
    """Return the contents of `findings.json`; its flow counts patients by centre, as there are no rows of patients."""
    study, exchanges = results.study, results.exchanges
    flow = [{"centre": centre, **answer.tables["flow"]} for centre, answer in results.first.items()]
    if study.mode == "masked":
        flow = [{**flow[0], "centre": "all"}]
    withheld = [{"about": centre, "text": f"{key}: {why}"} for centre, a in results.first.items()
                for key, why in a.withheld.items()]  # fmt: skip
    provenance = {
        "title": study.title, "pooled": study.record, "plan": study.digest, "confidence": study.plan.confidence,
        "reinfuse": __version__, "date": today.isoformat(),
        "exchanges": [{"request": r.digest, "answers": {c: a.digest for c, a in answers.items()}}
                      for r, answers in zip(exchanges.requests, exchanges.answers, strict=True)],
    }  # fmt: skip
    withheld += [{"about": "plan", "text": text} for text in said_of_plan(study)]
    return {"provenance": provenance, "flow": flow, "estimates": [e.as_dict() for e in records], "warnings": withheld}
