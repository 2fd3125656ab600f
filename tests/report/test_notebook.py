"""Tables, figures and sentences one by one: what they show is what the records say, and what is refused is named."""

from __future__ import annotations

import gc
import io
import json
import sys
from contextlib import contextmanager

import docx
import pandas as pd
import polars as pl
import pypdf
import pytest

from cohorts import EIGHT
from helpers import csv_text, plain, write_folder
from reinfuse import Findings, Plan, Report, Study, analyze, read_cohort, save
from reinfuse.cohort.strata import Stratum
from reinfuse.data import DEMO, datasets
from reinfuse.disclosure import suppressed
from reinfuse.exceptions import CohortRefused, ExtraMissing, OutputRefused, PlanRefused, RequestRefused
from reinfuse.plan.analysis_plan import Analyses
from reinfuse.report.notebook.inline import InlineText, Requests
from reinfuse.report.text import number_format
from reinfuse.report.text.estimate_index import Lookup
from reinfuse.results.curves import curves_frame
from reinfuse.runtime.second_process import second_process
from reinfuse.tabular.csv_files import write_csv

BARE = Analyses.none()


@pytest.fixture(scope="module")
def findings():
    return analyze(datasets()[DEMO].path, Plan(analyses=BARE))


@pytest.fixture(scope="module")
def report(findings):
    return Report(findings)


@pytest.fixture(scope="module")
def look(findings):
    return Lookup(findings.estimates)


@pytest.fixture(scope="module")
def read_back(findings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    (folder / "findings.json").write_text(json.dumps(findings.as_dict()))
    write_csv(curves_frame(findings.curves), folder / "curves.csv")
    return Report(Findings.load(folder))


def test_every_effect_stands_in_the_regression_table_beside_its_level(report, look):
    for endpoint, statistic, counted in (("pfs", "hazard_ratio", "median"), ("response", "odds_ratio", "proportion")):
        shown = report.regression(endpoint).to_polars()
        rows = {(v, level): cells for v, level, *cells in shown.iter_rows()}
        effects = look.all("association", endpoint, statistic)
        assert {e.model for e in effects} == {"univariable", "multivariable"}
        factors = {f.name: f for f in report.findings.described.factors}
        for e in effects:
            factor = factors[e.term]
            level = None if factor.kind == "number" else e.level or factor.levels[-1]
            cells = rows[factor.label, level]
            place = 2 if e.model == "univariable" else 4
            assert cells[place].startswith(f"{number_format.ratio(e.estimate)} ({number_format.interval(e)})")
            assert cells[place + 1] == number_format.p_value(e.p_value)
            if e.model == "univariable" and level is None:
                assert cells[:2] == [str(e.n), str(e.events)]
        for factor in (f for f in factors.values() if f.kind != "number"):
            assert rows[factor.label, factor.levels[0]][2] == "1 (reference)"
            for level in factor.levels:
                analysis = "survival" if counted == "median" else "response"
                record = look.one(analysis, endpoint, counted, group=Stratum(factor.name, level))
                assert rows[factor.label, level][:2] == [str(record.n), str(record.events)]
            both = [rows[factor.label, level][:2] for level in factor.levels]
            alone = next(e for e in effects if e.term == factor.name and e.model == "univariable")
            assert [sum(int(c[i]) for c in both) for i in (0, 1)] == [alone.n, alone.events]


def test_a_second_model_of_an_endpoint_has_columns_of_its_own():
    models = [{"endpoint": "pfs", "factors": ["cart1_cy_flu", "dose_increase"]},
              {"endpoint": "pfs", "factors": ["diagnosis", "cart1_cy_flu"]}]  # fmt: skip
    several = analyze(datasets()[DEMO].path, Plan(analyses=BARE, models=models))
    shown = Report(several).regression("pfs").to_polars()
    effects = [e for e in several.estimates if e.analysis == "association" and e.endpoint == "pfs"]
    texts = [f"{number_format.ratio(e.estimate)} ({number_format.interval(e)})" for e in effects
             if e.model == "multivariable"]  # fmt: skip
    assert len(texts) == 5
    columns = [[c for c in shown[f"Multivariable {i} HR (95% CI)"].to_list() if c and c != "1 (reference)"]
               for i in (1, 2)]  # fmt: skip
    assert [len(c) for c in columns] == [2, 3]
    assert sorted(c.rstrip("†‡§") for column in columns for c in column) == sorted(texts)


@pytest.mark.parametrize("by", ["diagnosis", "sex", "histology"])
def test_table_1_by_a_column_counts_its_levels(report, findings, by):
    shown = report.table1(by=by).to_polars()
    counts = findings.data.frame[by].value_counts()
    heads = {f"{level} (n = {count})" for level, count in counts.iter_rows()}
    assert {*shown.columns} == {"variable", "level", "All patients (n = 44)", *heads}
    assert by.capitalize() not in shown["variable"]
    plan = Plan(analyses=BARE, subgroups=(by,))
    whole = Report(Study(findings.cohort, plan).only("baseline")).table1().to_polars().select(shown.columns)
    for variable in ("Age, years", "Bulky disease"):
        assert shown.filter(pl.col("variable") == variable).equals(whole.filter(pl.col("variable") == variable))


def test_table_1_is_shaped_as_a_plan_can_shape_it(report, findings):
    shown = report.table1(by="cart1_cy_flu", variables=["sex", "age_years"], numbers="mean (SD)", smd=True, p=True,
                          overall=False, missing="always")  # fmt: skip
    table1 = {"by": "cart1_cy_flu", "variables": ["sex", "age_years"], "numbers": "mean (SD)", "smd": True, "p": True,
              "overall": False, "missing": "always"}  # fmt: skip
    planned = Study(findings.cohort, findings.plan.replace(report={"table1": table1})).only("baseline")
    assert shown.table == Report(planned).table1().table
    assert [*dict.fromkeys(shown.to_polars()["variable"])] == ["Sex", "Age, years"]
    assert shown.to_polars().columns[-2:] == ["SMD", "p"]
    again = Report(planned).table1(smd=False, p=False).to_polars()
    assert again.columns == shown.to_polars().columns[:-2]


def test_table_1_as_it_is_stands_in_the_report(report):
    assert report.table1().to_polars().equals(report.table("baseline").to_polars())
    assert set(report.table1().records["analysis"]) == {"baseline"}


@pytest.mark.parametrize(("endpoint", "by"), [("pfs", "cart1_cy_flu"), ("os", "bulky"), ("dor", "diagnosis"),
                                              ("pfs", "histology"), ("os", "reason")])  # fmt: skip
def test_curves_by_a_factor_or_a_column_are_those_of_its_levels(report, findings, endpoint, by):
    shown = report.km(endpoint, by=by)
    assert shown.name == f"km_{endpoint}_by_{by}"
    plan = findings.plan if any(f.name == by for f in findings.described.factors) else Plan(
        analyses=BARE, factors=[{"name": by, "column": by}])  # fmt: skip
    curves = Study(findings.cohort, plan).only("survival").curves
    for (level,), points in shown.to_polars().group_by("group"):
        curve = curves[endpoint, "all", Stratum(by, level)]
        assert points["survival"].to_list() == curve.survival.tolist()
        assert points["at_risk"].to_list() == curve.at_risk.tolist()


def test_figures_and_tables_of_the_report_are_named_and_given(report):
    assert {"swimmer", "km_pfs", "forest_pfs", "flow"} <= set(report.figures)
    assert {"baseline", "survival_pfs", "association_pfs"} <= set(report.tables)
    assert report.figure("flow").drawn.svg == report.figure("flow").drawn.svg
    assert report.swimmer().drawn.patient_level
    assert report.forest("response").name == "forest_response"
    assert set(report.table("survival_pfs").records["endpoint"]) == {"pfs"}


def test_a_notebook_is_given_html_and_pictures_with_words_for_those_who_do_not_see_them(report):
    table, figure = report.regression("pfs"), report.km("pfs")
    html = table._repr_html_()
    assert html.count("<tr>") == len(table.table.rows) + 2  # head and foot
    assert "Synthetic data" in html
    assert "1 (reference)" in repr(table)
    kinds, more = figure._repr_mimebundle_()
    assert set(kinds) == {"image/svg+xml", "image/png", "text/plain"}
    assert 'role="img" aria-label="Kaplan-Meier curves' in kinds["image/svg+xml"]
    assert kinds["image/png"].startswith(b"\x89PNG")
    assert 300 < more["image/png"]["width"] < 400
    assert set(figure._repr_mimebundle_(include={"image/svg+xml"})[0]) == {"image/svg+xml"}
    assert set(figure._repr_mimebundle_(exclude={"image/png"})[0]) == {"image/svg+xml", "text/plain"}
    assert "<h3>" in report._repr_html_()


MAGIC = {"docx": b"PK", "html": b"<!doctype html>", "pdf": b"%PDF", "png": b"\x89PNG", "svg": b"<?xml"}


@pytest.mark.parametrize("ending", ["docx", "html", "pdf", "png", "csv", "md"])
def test_a_table_is_saved_by_its_ending(report, tmp_path, ending):
    table, place = report.regression("pfs"), tmp_path / f"table.{ending.upper()}"
    place.write_text("of an earlier run")
    assert table.save(str(place)) == place
    content = place.read_bytes()
    assert content.startswith(MAGIC.get(ending, b""))
    if ending == "csv":
        assert pl.read_csv(io.BytesIO(content), infer_schema=False).columns == table.to_polars().columns
    elif ending == "docx":
        (grid,) = docx.Document(io.BytesIO(content)).tables
        assert [c.text for c in grid.rows[0].cells] == list(table.table.head)
    elif ending == "pdf":
        assert "0.32 (0.15 to 0.66)" in pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
    elif ending in ("html", "md"):
        assert "0.32 (0.15 to 0.66)" in content.decode()
    assert [p.name for p in tmp_path.iterdir()] == [place.name]


@pytest.mark.parametrize("ending", ["svg", "png", "pdf", "docx", "html", "csv"])
def test_a_figure_is_saved_by_its_ending(report, tmp_path, ending):
    figure = report.km("pfs", by="cart1_cy_flu")
    content = figure.save(tmp_path / f"figure.{ending}").read_bytes()
    assert content.startswith(MAGIC.get(ending, b"group,"))
    if ending == "docx":
        assert len(docx.Document(io.BytesIO(content)).inline_shapes) == 1
    if ending in ("docx", "html"):
        assert b"Synthetic data" in (content if ending == "html" else _text_of(content))


def _text_of(content):
    return "\n".join(p.text for p in docx.Document(io.BytesIO(content)).paragraphs).encode()


@pytest.mark.parametrize(("place", "rule"), [
    ("table.xls", "a table is not saved as .xls"), ("table", "a table is not saved as a file without an ending"),
    ("table.htm", "did you mean .html"),
])  # fmt: skip
def test_another_ending_is_refused_with_those_that_there_are(report, tmp_path, place, rule):
    with pytest.raises(RequestRefused, match=rule) as refused:
        report.table1().save(tmp_path / place)
    assert ".csv, .docx, .html, .md, .pdf, .png" in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_refused_and_nothing_is_lost(tmp_path):
    folder = write_folder(tmp_path, **EIGHT)
    table = Report(analyze(folder, plain(Plan.built_in()))).table1()
    before = sorted(folder.iterdir())
    for place, rule in ((folder / "table.csv", "lies inside of what the command reads"),
                        (folder / "patients.csv", "lies inside of what the command reads"),
                        (tmp_path / "absent" / "table.csv", "there is no folder absent"),
                        (tmp_path / "folder.csv", "this is a folder, not a file")):  # fmt: skip
        (tmp_path / "folder.csv").mkdir(exist_ok=True)
        with pytest.raises(OutputRefused, match=rule):
            table.save(place)
    assert sorted(folder.iterdir()) == before
    assert (folder / "patients.csv").read_text() == csv_text(EIGHT["patients"])


def test_a_table_is_a_data_frame_of_either_library(report, monkeypatch):
    table, figure = report.table1(), report.km("pfs")
    assert list(table.to_pandas().columns) == table.to_polars().columns
    assert isinstance(figure.to_pandas(), pd.DataFrame)
    assert figure.to_pandas()["survival"].tolist() == figure.to_polars()["survival"].to_list()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ExtraMissing, match=r"install pandas, or use to_polars\(\)"):
        table.to_pandas()


REQUESTS = {
    "median pfs": "61 days (95% CI 43 to 94; n = 44, 38 events)",
    "Median progression-free survival": "61 days (95% CI 43 to 94; n = 44, 38 events)",
    "median pfs cll": "61 days (95% CI 27 to 1,033; n = 9, 8 events)",
    "median PFS ALL": "43 days (95% CI 26 to 61; n = 14, 12 events)",
    "pfs at 12 months": "14% (95% CI 5% to 27%; n = 44, 38 events)",
    "response": "39% (95% CI 24% to 55%; 17 of 44 patients)",
    "overall response with cart1_cy_flu=yes": "50% (95% CI 31% to 69%; 14 of 28 patients)",
    "HR pfs cart1_cy_flu multivariable": "0.32 (95% CI 0.15 to 0.67; p = 0.003; n = 43, 37 events)",
    "p pfs cart1_cy_flu univariable": "p = 0.002",
    "log-rank p pfs cart1_cy_flu": "p = 0.001",
    "median age": "55 years (quartiles 39 to 60; n = 44)",
    "CRS >=3": "9% (95% CI 3% to 22%; 4 of 44 patients)",
    "patients": "44",
    "patients ALL": "14",
    "median follow-up os": "1,150 days (95% CI 850 to 1,655; n = 44, 12 events)",
}  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_number_is_asked_for_by_words(report, request_):
    text = report.inline(request_)
    assert text == REQUESTS[request_]
    assert text.record in report.findings.estimates


def test_times_are_given_in_months_where_they_are_wanted(report):
    assert report.inline("median pfs", unit="months") == "2 months (95% CI 1.4 to 3.1; n = 44, 38 events)"


def test_every_number_can_be_asked_for_and_gives_itself(findings):
    requests = Requests(findings)
    every = requests._candidates
    assert len(every) > 800
    for candidate in every:
        text = requests.text(candidate.request)
        assert isinstance(text, InlineText)
        assert text.record == candidate.record, candidate.request


@pytest.mark.parametrize(("request_", "rule"), [
    ("hazard ratio pfs cart1_cy_flu", "say which: hazard ratio pfs cart1_cy_flu univariable; hazard ratio pfs "
                                      "cart1_cy_flu multivariable"),
    ("pfs", "may mean any of"), ("", "is no number of these findings"), ("   ", "is no number of these findings"),
    ("medain pfs", "did you mean 'median' for 'medain'.*Nearest requests: median pfs"),
    ("median foo", "'foo' is no word of them"), ("median pfs all patients", "is no number"), (3, "is no text"),
    ("pfs at 13 months", "say which: at risk pfs at 13 months"),
    ("bulky yes cart1_cy_flu no diagnosis=CLL", "is no number"),
])  # fmt: skip
def test_what_means_no_number_or_several_is_refused_naming_the_nearest(report, request_, rule):
    with pytest.raises(RequestRefused, match=rule):
        report.inline(request_)


def test_of_findings_for_others_hidden_numbers_stay_hidden(findings):
    shared, _ = suppressed(findings, 5)
    report = Report(shared)
    hidden = [e for e in shared.estimates if number_format.hidden(e) and e.analysis == "baseline" and e.level]
    assert hidden
    assert report.inline(f"{hidden[0].term}={hidden[0].level}") == number_format.hidden(hidden[0])
    with pytest.raises(RequestRefused, match="hold no patients"):
        report.table1(by="reason")


WRONG = {
    "km": [({"endpoint": "pfss"}, "did you mean 'pfs'"), ({"endpoint": "response"}, "is no time to event"),
           ({"endpoint": "nrm"}, "competes with another event"), ({"endpoint": None}, "is no name"),
           ({"endpoint": "pfs", "by": "age_years"}, "is a number, and has no groups"),
           ({"endpoint": "pfs", "by": "dignosis"}, "did you mean 'diagnosis'"),
           ({"endpoint": "pfs", "by": "response"}, "immortal-time bias"),
           ({"endpoint": "pfs", "by": "patient_id"}, "identifies patients"),
           ({"endpoint": "pfs", "by": "product"}, "curves are drawn of 2 to 6 groups"),
           ({"endpoint": "pfs", "by": 3}, "is no name"), ({"endpoint": "pfs", "columns": 3}, "use 1 or 2")],
    "table1": [({"by": "crs_grade"}, "immortal-time bias"), ({"by": "age_years"}, "cut it in the plan"),
               ({"variables": ["agee"]}, r"variables: is no factor and no column of these data \[agee\]"),
               ({"smd": True}, r"table1: smd compares groups"), ({"by": "product"}, "has one level only"),
               ({"missing": "no"}, r"missing: Input should be 'always', .* \[no\] → correct the argument")],
    "regression": [({"endpoint": "nrm"}, "no effect on"), ({"endpoint": "PFS"}, "did you mean 'pfs'")],
    "forest": [({"endpoint": "ttnt2"}, "is no endpoint")],
    "figure": [({"name": "km_pf"}, "did you mean 'km_pfs'")],
    "table": [({"name": "basline"}, "did you mean 'baseline'")],
    "inline": [({"request": "median pfs", "unit": "weeks"}, "use days or months")],
}  # fmt: skip


@pytest.mark.parametrize(("method", "arguments", "rule"), [(m, *case) for m, cases in WRONG.items() for case in cases])
def test_a_wrong_argument_is_named_with_the_remedy(report, method, arguments, rule):
    with pytest.raises(RequestRefused, match=rule) as refused:
        getattr(report, method)(**arguments)
    text = str(refused.value)
    assert text.startswith(f"the request was refused: {method}")
    assert "→" in text
    assert "pydantic" not in text


def test_findings_that_were_read_back_show_what_they_hold(read_back, report):
    assert read_back.regression("pfs").to_polars().equals(report.regression("pfs").to_polars())
    assert read_back.km("pfs", by="bulky").to_polars().equals(report.km("pfs", by="bulky").to_polars())
    assert read_back.inline("median pfs") == report.inline("median pfs")
    for wrong in (read_back.swimmer, lambda: read_back.km("pfs", by="histology"), lambda: read_back.table1(by="sex")):
        with pytest.raises(RequestRefused, match="hold no"):
            wrong()


def test_settings_of_the_report_change_the_look_and_no_number(findings, report):
    levels = {"cart1_cy_flu": {"yes": "given", "no": "not given"}}
    own = Report(findings, journal="Lancet", labels={"pfs": "PFS", "cart1_cy_flu": "First Cy-Flu"}, levels=levels)
    assert own.inline("median pfs") == "61 days (95% CI 43–94; n = 44, 38 events)"
    assert own.inline("median pfs first cy-flu=yes").record == report.inline("median pfs cart1_cy_flu=yes").record
    table = own.regression("pfs").to_polars()
    row = table.filter(pl.col("variable") == "First Cy-Flu", pl.col("level") == "given")
    assert row["Univariable HR (95% CI)"].item() == "0·32 (0·15–0·66)†"
    assert set(own.km("pfs", by="cart1_cy_flu").to_polars()["group"]) == {"given", "not given"}
    assert own.regression("pfs").records.equals(report.regression("pfs").records)
    with pytest.raises(PlanRefused, match="did you mean journal"):
        Report(findings, journl="Lancet")


def test_rows_under_curves_that_findings_lack_are_estimated(findings, read_back):
    style = {"x_breaks": 2, "risk_table": ["at risk", "events"]}
    planned = Study(findings.cohort, findings.plan.replace(report={"figure_style": style})).only("survival")
    for by in (None, "cart1_cy_flu"):
        shown = Report(findings, figure_style=style).km("pfs", by=by).drawn.svg
        assert shown == Report(planned).km("pfs", by=by).drawn.svg
        assert shown != Report(findings).km("pfs", by=by).drawn.svg
    with pytest.raises(RequestRefused, match="nothing more can be estimated"):
        Report(read_back.findings, figure_style=style).km("pfs")


@pytest.fixture
def second(monkeypatch):
    """Have a second process, as outside the tests, and the caller's search for garbage set as nobody else does."""
    begun = []

    @contextmanager
    def second(modules=()):
        with second_process(modules) as one:
            begun.append(one)
            yield one

    monkeypatch.setattr("reinfuse.study.analysis.second_process", second)
    before = gc.get_threshold()
    gc.set_threshold(50_000, 9, 9)
    yield begun
    gc.set_threshold(*before)


def test_a_second_process_changes_no_number_and_nothing_of_the_caller(tmp_path, second):
    few = BARE.model_copy(update={"permutation": True, "draws": 99})
    plan = Plan(analyses=few, factors=[{"name": "bulky"}], landmarks=(), time_dependent=())
    folder = write_folder(tmp_path, **EIGHT)
    assert analyze(folder, plan).estimates == Study(read_cohort(folder), plan).run().estimates
    assert len(second) == 1
    assert gc.get_threshold() == (50_000, 9, 9)


def test_what_is_no_findings_is_refused(findings):
    with pytest.raises(RequestRefused, match=r"is of type Cohort, .* give what analyze\(cohort, plan\) returns"):
        Report(findings.cohort)


@pytest.mark.parametrize(("call", "rule"), [
    (lambda: read_cohort(pd.DataFrame({"x": [1]}), {"x": "os_days"}), r"other way round: columns=\{'os_days': 'x'\}"),
    (lambda: read_cohort(pd.DataFrame({"x": [1]}), {"os_dayz": "x"}), "did you mean 'os_days'"),
    (lambda: read_cohort(pd.DataFrame({"x": [1]}), ["os_days"]), "is of type list, no mapping"),
    (lambda: analyze(pd.DataFrame({"x": [1]}), 3), "is of type int, no plan"),
    (lambda: analyze(pd.DataFrame({"x": [1]}), {"titel": "x"}), "did you mean title"),
    (lambda: analyze({"patients": pd.DataFrame()}), r"Cohort.from_frames\(patients=..., infusions=...\)"),
    (lambda: Study(pd.DataFrame({"x": [1]})), r"is of type DataFrame, no cohort → read_cohort\(...\) makes one"),
])  # fmt: skip
def test_other_wrong_arguments_are_named_with_the_remedy(call, rule):
    with pytest.raises((CohortRefused, PlanRefused), match=rule):
        call()


def test_what_was_analysed_is_seen_at_a_glance(report, findings):
    assert repr(findings) == repr(report).replace("Report", "Findings")
    assert ": response, cr, umrd_day28, pfs, os, dor, ttnt, relapse, nrm; " in repr(report)
    assert repr(findings.plan) == "<Plan 'Outcome after a second CAR-T infusion': infusion 2, 10 factors, 2 models>"
    with pytest.raises(RequestRefused, match=r"a Report holds it as report\.findings"):
        save(report, "results")


def test_columns_that_were_named_on_reading_hold_in_the_analysis():
    sheet = pd.DataFrame({"Pt": ["a", "b", "c"], "OS": [10, 20, 30], "dead": [1, 0, 1]})
    names = {"patient_id": "Pt", "os_days": "OS", "os_event": "dead"}
    plan = Plan(analyses=BARE, factors=(), subgroups=())
    text = Report(analyze(read_cohort(sheet, names), plan)).inline("median os")
    assert text == "30 days (95% CI 10 to not reached; n = 3, 2 events)"
    other = plan.replace(columns={"os_days": "OS", "os_event": "dead"})
    assert analyze(read_cohort(sheet, names), other).plan.columns == names
    with pytest.raises(CohortRefused, match="no name of a column is a standard one"):
        analyze(sheet, plan)


def test_records_behind_a_table_are_those_of_findings(report, findings):
    records = report.regression("pfs").records
    assert records.height == sum(e.analysis == "association" and e.endpoint == "pfs" for e in findings.estimates)
