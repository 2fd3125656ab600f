"""`reinfuse evidence synthesis` and `... borrow`: what they say, refuse and write; the forest plot is the records'."""

import json

import pytest

from reinfuse.exceptions import RequestRefused
from reinfuse.report.figures.published_rates import prior_and_posterior, published_forest
from reinfuse.report.sections.published_rates import synthesis_document
from reinfuse.study.synthesis import RateRequest, borrow_published, synthesize_published


@pytest.fixture(scope="module")
def borrowed():
    return borrow_published(RateRequest(endpoint="response", events=3, n=9))


def test_the_answer_without_borrowing_is_said_first(borrowed):
    assert borrowed.sentences[0] == "Without borrowing: 3 of 9, 33% (95% CI 7% to 70%)."
    assert borrowed.sentences[1].startswith(
        "2 published rates of 57 patients are together worth about 7 to 13 patients"
    )
    assert borrowed.tables[0].rows[0].cells == ("33%", "7% to 70%", "")


def test_the_forest_plot_ends_with_the_own_cohort_and_shows_what_the_synthesis_says(borrowed):
    synthesis = borrowed.borrowing.synthesis
    for columns in (1, 2):
        drawn = published_forest(synthesis, columns=columns)
        rows = drawn.data.to_dicts()
        assert [r["kind"] for r in rows] == ["study", "study", "mean", "prediction", "own"]
        assert (rows[-1]["events"], rows[-1]["n"]) == (3, 9)
        assert rows[2]["estimate"] == synthesis.pooled.estimate
        assert (rows[3]["lower"], rows[3]["upper"]) == synthesis.pooled.prediction
        assert "Own cohort 33% (7% to 70%)" in drawn.alt
    curves = prior_and_posterior(borrowed.borrowing).data
    assert curves.columns[1:] == ["Prior from published studies, robust", "Own data alone: 3 of 9", "Posterior"]
    step = curves["proportion"][1] - curves["proportion"][0]
    assert [float(curves[c].sum() * step) for c in curves.columns[1:]] == pytest.approx([1, 1, 1], abs=0.02)


def test_a_page_and_its_numbers_are_written_whole_or_not_at_all(main, tmp_path):
    status, out, _ = main("evidence", "borrow", "--endpoint", "response", "--events", "3", "--n", "9", "--out",
                          tmp_path / "page")  # fmt: skip
    assert status == 0
    assert 'reinfuse design bayes --prior "' in out
    page = (tmp_path / "page" / "borrowing.html").read_text(encoding="utf-8")
    assert "Without borrowing: 3 of 9" in page
    assert page.index("Without borrowing") < page.index("With borrowing (robust)")
    header = (tmp_path / "page" / "estimates.csv").read_text().splitlines()[0]
    assert header.startswith("analysis,endpoint")
    assert {p.name for p in (tmp_path / "page" / "figures").iterdir()} >= {
        "published_response.svg",
        "prior_and_posterior.svg",
    }
    status, _, error = main("evidence", "borrow", "--endpoint", "respons", "--events", "13", "--n", "9", "--disease",
                            "CLLL", "--vague", "2", "--out", tmp_path / "none")  # fmt: skip
    assert status != 0
    assert all(part in error for part in ("did you mean 'response'?", "did you mean 'CLL'?", "events", "vague"))
    assert not (tmp_path / "none").exists()


def test_numbers_come_as_json_and_hold_no_number_that_is_not_finite(main):
    status, out, _ = main("evidence", "synthesis", "--endpoint", "cr", "--disease", "CLL", "--json")
    assert status == 0
    shown = json.loads(out, parse_constant=pytest.fail)
    assert shown["sentences"][0].startswith("Complete response after a second infusion, CLL: 22% (1 study, 2 of 9")
    assert {e["statistic"] for e in shown["estimates"]} >= {"proportion", "pooled_proportion", "prediction"}


def test_an_endpoint_that_no_comparable_study_reports_has_a_page_without_figure():
    nothing = synthesize_published(RateRequest(endpoint="efs"))
    what = "Event-free survival after a second infusion"
    assert nothing.sentences == (f"{what}: no comparable study of the register gives counts.",)
    assert published_forest(nothing.synthesis) is None
    assert synthesis_document(nothing.synthesis, on=nothing.request.day).sections[0].title == "Answer"


@pytest.mark.parametrize("wrong", [{"endpoint": "cr", "events": 3}, {"endpoint": "cr", "n": 3},
                                   {"endpoint": "cr", "across": ("colour",)}, {"endpoint": "cr", "confidence": 1.0},
                                   {"endpoint": "cr", "events": 0, "n": 0}])  # fmt: skip
def test_what_cannot_be_answered_is_refused(wrong):
    with pytest.raises(RequestRefused):
        synthesize_published(RateRequest(**wrong))


def test_medians_are_shown_as_printed_where_no_counts_are():
    shown = synthesize_published(RateRequest(endpoint="dor"))
    table = next(t for t in shown.tables if t.name == "printed_median")
    assert [r.cells[2] for r in table.rows] == ["33.0", "6.00", "4.00", "2.66"]
    assert "two studies are needed" in table.footnote
