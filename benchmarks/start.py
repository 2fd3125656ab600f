"""How long the command line takes to answer, the demo to tell its first results and to be done, 450 patients to be
analysed, and where the time goes. Run: python benchmarks/start.py [--small].

Times on the wall mean little on a machine that does other work: the least of several runs is the one to read, and
beside it the processor's seconds, of which two cores take half on the wall at best.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from generate import write_cohort

SMALL = "--small" in sys.argv
RUNS = 1 if SMALL else 5
PATIENTS = 450
FEW = {"draws": 99, "bootstraps": 10, "imputations": 2, "power": 20}
"""What is drawn at random in a small run."""
COHORT = "brudno_2016" if SMALL else "synthetic_gauthier_2021"
FIRST = "First results"


def measured(arguments: list[str]) -> dict[str, float]:
    """Return wall seconds of a command, to its end and to its first results, and the processor's seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    taken = {}
    command = [sys.executable, "-u", "-m", "reinfuse.cli", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(FIRST):
                taken["first_results_s"] = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with status {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**taken, "wall_s": time.perf_counter() - started, "cpu_s": cpu}


def seconds(arguments: list[str], runs: int = RUNS) -> dict[str, float]:
    """Return the least and the median of what is measured of a command, after one run that does not count."""
    taken = [measured(arguments) for _ in range(runs + 1)][1:]
    summary = {}
    for name in taken[0]:
        values = [one[name] for one in taken]
        summary |= {f"{name}_min": round(min(values), 2), f"{name}_median": round(statistics.median(values), 2)}
    return {**summary, "runs": runs}


def where_it_goes() -> dict[str, dict[str, float]]:
    """Return the processor's seconds of each stage of the demo, and within analyses and figures of the longest."""
    stages: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = time.process_time()
        yield
        stages[name] += time.process_time() - started

    with stage("import of the analyses"):
        from reinfuse.analyses.execution import analysis_of
        from reinfuse.study.study import Study
    with stage("import of the report"):
        from reinfuse.report.document.docx import word
        from reinfuse.report.document.html import html
        from reinfuse.report.document.pdf import pdf
        from reinfuse.report.document.typst import png
        from reinfuse.report.export.results_folder import briefs, documents
        from reinfuse.report.figures.catalog import figures
    from threadpoolctl import threadpool_limits

    from reinfuse.data import datasets

    with stage("reading"):
        bundled = datasets()[COHORT]
        plan = bundled.plan
        if SMALL:
            plan = plan.model_copy(update={"analyses": plan.analyses.model_copy(update=FEW)})
        study = Study.read(bundled.path, plan)
    by_analysis: dict[str, float] = defaultdict(float)
    estimates: list = []
    with stage("analyses"), threadpool_limits(limits=1):
        for step in study.prepare():
            started = time.process_time()
            estimates += step.work(estimates)[0]
            by_analysis[analysis_of(step.name).name] += time.process_time() - started
    findings = study.run()
    by_figure: dict[str, float] = {}
    drawn = []
    with stage("figures"):
        for section, name, draw in figures(findings):
            started = time.process_time()
            figure = draw()
            by_figure[name] = time.process_time() - started
            drawn += [(section, figure)] if figure is not None else []
    with stage("pixels of the figures"):
        pixels = {figure.name: png(figure.svg) for _, figure in drawn}
    with stage("figures for a page"):
        for _, figure in drawn:
            _ = figure.compact
    with stage("words and tables"):
        written = {**documents(findings, drawn), **briefs(findings)}
    for name, write in (("HTML", html), ("PDF", pdf)):
        with stage(name):
            for document in written.values():
                write(document)
    with stage("Word"):
        for name in ("report", "supplement"):
            word(written[name], pixels)
    return {"stages": rounded(stages), "analyses": rounded(by_analysis, 8), "figures": rounded(by_figure, 5)}


def rounded(taken: dict[str, float], most: int = 99) -> dict[str, float]:
    """Return the longest, the longest first."""
    return {name: round(value, 2) for name, value in sorted(taken.items(), key=lambda item: -item[1])[:most]}


def main() -> None:
    """Measure and write the results."""
    times = {"date": date.today().isoformat(), "cores": os.cpu_count(), "python": platform.python_version(),
             "load average before": os.getloadavg()[0], "reinfuse --help": seconds(["--help"]),
             "processor's seconds of the demo, one process": where_it_goes()}  # fmt: skip
    if not SMALL:
        with tempfile.TemporaryDirectory() as folder:
            out, cohort = Path(folder) / "out", Path(folder) / "cohort"
            cohort.mkdir()
            write_cohort(cohort, PATIENTS)
            times["reinfuse demo"] = seconds(["demo", "--out", str(out)])
            times[f"reinfuse analyze, {PATIENTS} patients"] = seconds(
                ["analyze", str(cohort), "--out", str(out), "--force"], runs=2
            )
    print(json.dumps(times, indent=1))
    if SMALL:
        return
    path = Path(__file__).resolve().parent / "results" / "start.json"
    path.write_text(json.dumps(times, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
