"""`reinfuse figure list` names what `reinfuse figure` draws, of a cohort and of a folder of results."""

import pytest

from helpers import quick
from reinfuse import Study, read_cohort
from reinfuse.data import datasets
from reinfuse.report.export import single_figure
from reinfuse.report.figures.catalog import figures
from reinfuse.results.findings import Findings


def listed_and_drawn(study_of, plan):
    """Return the listed names, and those that are drawn with as much of the plan as each needs.

    A name is listed once it is drawn: what needs the same plan as the list is drawn no second time.
    """
    whole = single_figure.enough(plan, "list")
    names = single_figure.names(study_of(whole))
    drawn, runs = [], {}
    for name in names:
        needed = single_figure.enough(plan, name)
        if needed.digest == whole.digest:
            drawn.append(name)
            continue
        if needed.digest not in runs:
            runs[needed.digest] = {n: draw for _, n, draw in figures(study_of(needed))}
        if name in runs[needed.digest] and runs[needed.digest][name]() is not None:
            drawn.append(name)
    assert runs
    return names, drawn


@pytest.mark.parametrize("dataset", sorted(datasets()))
def test_every_listed_figure_of_a_cohort_can_be_drawn(dataset):
    one = datasets()[dataset]
    plan = quick(one.plan)
    cohort = read_cohort(one.path, plan.columns, used=plan.used_columns)
    names, drawn = listed_and_drawn(lambda needed: Study(cohort, needed).run(), plan)
    assert names
    assert drawn == names


def test_every_listed_figure_of_results_can_be_drawn(demo_report):
    findings = Findings.load(demo_report)
    names = single_figure.names(findings)
    assert {"km_pfs", "forest_pfs", "response_best"} <= set(names)
    assert "swimmer" not in names  # patients' own data are not read back
    both = {"km_pfs", "km_pfs_by_dose_increase", "response_best"}
    assert both <= set(names)
    for name in names:
        narrow = name.startswith(("km_", "response_"))
        for columns in (1, 2) if name in both else (1,) if narrow else (2,):  # the list draws all at their own width
            assert single_figure.one(findings, name, columns=columns).svg.startswith(b"<?xml")
