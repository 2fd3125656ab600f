"""A study of several centres by files: the same numbers as of the patients in one table, and every fault named."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import polars as pl
import pytest

from reinfuse.cohort.strata import Stratum
from reinfuse.exceptions import CohortRefused, PlanRefused, PoolRefused
from reinfuse.output import Destination
from reinfuse.pooling.combining import PooledResults, combine
from reinfuse.pooling.exchange_folder import read_folder
from reinfuse.pooling.pooled_estimates import estimates
from reinfuse.pooling.sealing import sealed
from reinfuse.statistics import firth, firth_batch, firth_left_truncated
from reinfuse.statistics.likelihood_sums import full, logistic_sums
from reinfuse.statistics.score_homogeneity import score_homogeneity
from reinfuse.statistics.stratified_tables import MANTEL_HAENSZEL, mantel_haenszel
from reinfuse.study import pooling

CENTRES = ("Aarhus", "Bonn", "Cádiz", "Delft")
STUDY = """
title = "Four centres"
centres = ["Aarhus", "Bonn", "Cádiz", "Delft"]
endpoints = ["response", "os"]
[numbers.ldh]
unit = "U/L"
lowest = 50
highest = 2000
[plan]
subgroups = []
[[plan.factors]]
name = "bulky"
[[plan.factors]]
name = "ldh"
column = "LDH"
per = 100
[[plan.models]]
endpoint = "os"
factors = ["bulky", "ldh"]
"""


def patients(seed, n, bulky=0.4):
    rng = np.random.default_rng(seed)
    with_bulk = rng.random(n) < bulky
    days = np.ceil(rng.exponential(400, n) * np.where(with_bulk, 0.5, 1))
    response = np.arange(n) % 3 == 0
    return pl.DataFrame({
        "patient_id": [f"ID{seed}{i:02}" for i in range(n)], "diagnosis": "NHL",
        "bulky": np.where(with_bulk, "yes", "no"), "LDH": np.round(rng.lognormal(5.5, 0.5, n)).clip(60, 1900),
        "response": np.where(response, "CR", "PD"), "os_days": days + 1.0,
        "os_event": np.where(np.arange(n) % 4 < 3, "yes", "no"),
    })  # fmt: skip


SHEETS = {centre: patients(i, 12 + i, 0 if centre == "Cádiz" else 0.4) for i, centre in enumerate(CENTRES)}
"""At Cádiz nobody has bulky disease."""


def answer(folder, number, centre, sheet, tmp, again=False):
    """Answer a request as a centre, with a log of its own."""
    tmp.mkdir(exist_ok=True)
    path = tmp / f"{centre}.csv"
    sheet.write_csv(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REINFUSE_RELEASES", str(tmp / f"log-{centre}"))
        named = centre if number == 1 else None
        prepared = pooling.prepare_answer(folder / f"request-{number}.json", path, centre=named, again=again)
        return pooling.write_prepared(prepared, Destination(folder, "pool", ()))


def planned(folder, study=STUDY):
    file = folder.parent / "study.toml"
    file.write_text(study, encoding="utf-8")
    pooling.plan_pool(file, Destination(folder, "pool", (file,)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of a study that has come to its end, and that of the report."""
    base = tmp_path_factory.mktemp("pool")
    folder, report = base / "exchange", base / "report"
    planned(folder)
    for number in range(1, 20):
        for centre in CENTRES:
            answer(folder, number, centre, SHEETS[centre], base / "centres")
        combined = pooling.combine_answers(folder, Destination(report, "pool", ()))
        if combined.report:
            return folder, report
    raise AssertionError("no end")


@pytest.fixture(scope="module")
def results(whole):
    combined = combine(read_folder(whole[0]))
    assert isinstance(combined, PooledResults)
    return combined


@pytest.fixture
def first(whole, tmp_path):
    """Return a folder with the first request and all answers to it."""
    folder = tmp_path / "exchange"
    folder.mkdir()
    for path in whole[0].glob("*-1.json"):
        shutil.copy(path, folder)
    return folder


def log_ratios(record):
    return np.log([record.estimate, record.lower, record.upper])


def record_of(results, analysis, endpoint, **wanted):
    return next(e for e in estimates(results) if (e.analysis, e.endpoint) == (analysis, endpoint)
                and all(getattr(e, k) == v for k, v in wanted.items()))  # fmt: skip


def arrays(*centres):
    sheet = pl.concat([SHEETS[c].with_columns(site=pl.lit(CENTRES.index(c))) for c in centres])
    X = np.column_stack([sheet["bulky"] == "yes", sheet["LDH"] / 100]).astype(float)
    event, response = (sheet["os_event"] == "yes").to_numpy(), (sheet["response"] == "CR").to_numpy()
    return X, response.astype(float), event.astype(float), sheet["os_days"].to_numpy(), sheet["site"].to_numpy()


def assert_as_in_one_table(record, one, j):
    assert log_ratios(record)[0] == pytest.approx(one.coef[j], abs=1e-8)
    assert log_ratios(record)[1:] == pytest.approx([one.lower[j], one.upper[j]], abs=1e-6)
    assert record.p_value == pytest.approx(one.p_value[j], abs=1e-6)


def test_odds_ratios_are_those_of_one_table(results):
    X, response, *_ = arrays(*CENTRES)
    for j, term in enumerate(("bulky", "ldh")):
        record = record_of(results, "association", "response", term=term, method=firth.METHODS["logistic"])
        assert_as_in_one_table(record, firth.fit("logistic", X[:, [j]], response), 0)
        assert (record.n, record.events) == (len(response), response.sum())


def test_hazard_ratios_are_those_of_one_table_with_centres_as_strata(results):
    X, _, event, time, site = arrays(*CENTRES)
    entry = site * 1e5
    one = firth_left_truncated.fit(X, entry, entry + time, event, 0.95)
    for j, term in enumerate(("bulky", "ldh")):
        assert_as_in_one_table(record_of(results, "association", "os", term=term, model="multivariable"), one, j)


def test_an_effect_without_a_centre_is_that_of_the_others_in_one_table(results):
    X, response, *_ = arrays(*(c for c in CENTRES if c != "Bonn"))
    record = record_of(results, "influence", "response", term="ldh", population=Stratum("centre", "all but Bonn"))
    assert np.log(record.estimate) == pytest.approx(firth.fit("logistic", X[:, [1]], response).coef[0], abs=1e-8)


def test_heterogeneity_is_tested_at_the_common_estimate(results):
    X, response, *_, site = arrays(*CENTRES)
    Z = np.column_stack([(100 * X[:, 1] - 1025) / 487.5, np.ones(len(X))])
    top = firth.fit("logistic", Z[:, :1], response).coef[0]
    fits = firth_batch.logistic(Z, response[None])
    assert fits.coef[0, 0] == pytest.approx(top)
    sums = [logistic_sums(Z[site == s], response[site == s], points=fits.coef) for s in range(4)]
    p, df = score_homogeneity(np.concatenate([s.cumulants[0] for s in sums]),
                              np.concatenate([full(s.cumulants[1], 2, 2) for s in sums]))  # fmt: skip
    record = record_of(results, "heterogeneity", "response", term="ldh")
    assert record.p_value == pytest.approx(p, abs=1e-6)
    assert record.method.endswith(f"{df} df")
    assert df == 6


def test_counts_proportions_and_tests_are_those_of_one_table(results):
    X, response, *_, site = arrays(*CENTRES)
    assert record_of(results, "baseline", None, term="bulky", level="yes", statistic="count").estimate == X[:, 0].sum()
    mean, spread = (record_of(results, "baseline", None, term="ldh", statistic=s).estimate for s in ("mean", "sd"))
    assert (mean, spread) == (pytest.approx(100 * X[:, 1].mean()), pytest.approx(100 * X[:, 1].std(ddof=1)))
    share = record_of(results, "response", "response", statistic="proportion", population="all")
    assert (share.estimate, share.n) == (pytest.approx(response.mean()), len(response))
    tables = [
        [((X[:, 0] == g) & (response == r) & (site == s)).sum() for g in (1, 0) for r in (1, 0)] for s in range(4)
    ]
    common = mantel_haenszel(np.array(tables, dtype=float))
    record = record_of(results, "association", "response", term="bulky", method=MANTEL_HAENSZEL)
    assert (record.estimate, record.p_value) == (pytest.approx(common.estimate), pytest.approx(common.p_value))
    assert record_of(results, "survival", "os", statistic="p_value", term="bulky").p_value is not None


def test_the_report_has_the_records_and_the_hashes_of_every_exchange(whole, results):
    folder, report = whole
    contents = json.loads((report / "findings.json").read_text(encoding="utf-8"))
    assert contents["estimates"] == [e.as_dict() for e in estimates(results)]
    assert [sum(flow["analysed"] for flow in contents["flow"])] == [sum(s.height for s in SHEETS.values())]
    seals = {json.loads(p.read_text(encoding="utf-8"))["sha256"] for p in folder.glob("*.json")}
    exchanges = contents["provenance"]["exchanges"]
    assert {h for x in exchanges for h in (x["request"], *x["answers"].values())} == seals
    assert len(exchanges) <= 15
    page = (report / "report.html").read_text(encoding="utf-8")
    assert all(centre in page for centre in CENTRES)
    assert (report / "report.docx").is_file()
    assert (report / "report.pdf").is_file()


def test_no_answer_holds_an_identifier_of_a_patient_and_the_words_tell_the_counts(whole, first, tmp_path, monkeypatch):
    texts = "".join(p.read_text(encoding="utf-8") for p in whole[0].glob("*.json"))
    assert not any(i in texts for sheet in SHEETS.values() for i in sheet["patient_id"])
    monkeypatch.setenv("REINFUSE_RELEASES", str(tmp_path / "another"))
    SHEETS["Bonn"].write_csv(tmp_path / "bonn.csv")
    prepared = pooling.prepare_answer(first / "request-1.json", tmp_path / "bonn.csv", centre="Bonn")
    words = "\n".join(prepared.draft.words)
    bulky = (SHEETS["Bonn"]["bulky"] == "yes").sum()
    assert f"bulky: no {13 - bulky}, yes {bulky}, missing 0." in words
    assert "response: 5 of 13 patients with the event." in words


def changed(path, sealed_again=False, **values):
    contents = json.loads(path.read_text(encoding="utf-8")) | values
    text = sealed(contents) if sealed_again else json.dumps(contents).encode()
    path.write_bytes(text)


def lose(folder):
    (folder / "answer-Bonn-1.json").unlink()


def double(folder):
    shutil.copy(folder / "answer-Bonn-1.json", folder / "answer-Bonn-1 (1).json")


def alter(folder):
    changed(folder / "answer-Bonn-1.json", withheld={"os": "x"})


def cut_off(folder):
    path = folder / "answer-Bonn-1.json"
    path.write_text(path.read_text(encoding="utf-8")[:500], encoding="utf-8")


def answer_twice(folder):
    shutil.copy(folder / "answer-Bonn-1.json", folder / "second.json")
    changed(folder / "second.json", sealed_again=True, withheld={"os": "x"})


def use_another_plan(folder):
    changed(folder / "answer-Bonn-1.json", sealed_again=True, study_sha256="0" * 64)


def use_another_version(folder):
    changed(folder / "answer-Bonn-1.json", sealed_again=True, reinfuse="0.0.9")


def answer_another_request(folder):
    changed(folder / "answer-Bonn-1.json", sealed_again=True, request_sha256="0" * 64)


def name_another_centre(folder):
    changed(folder / "answer-Bonn-1.json", sealed_again=True, centre="Basel")


def use_another_unit(folder):
    path = folder / "answer-Bonn-1.json"
    tables = json.loads(path.read_text(encoding="utf-8"))["tables"]
    tables["endpoints"]["os"]["days"] /= 30.4
    changed(path, sealed_again=True, tables=tables)


def lose_the_request(folder):
    (folder / "request-1.json").unlink()


@pytest.mark.parametrize(("fault", "rule"), [
    (lose, "the answer of Bonn to request 1 is lacking"),
    (double, "is the answer of answer-Bonn-1 (1).json a second time"),
    (alter, "was altered after it was written"),
    (cut_off, "cannot be read as JSON: it is cut off"),
    (answer_twice, "is another answer of Bonn to request 1"),
    (use_another_plan, "answers a request of another study"),
    (use_another_version, "was written by reinfuse 0.0.9"),
    (answer_another_request, "answers another request 1 than that in the folder"),
    (name_another_centre, "is of Basel, which is no centre of the study"),
    (use_another_unit, "another unit?"),
    (lose_the_request, "there is no request in the folder"),
])  # fmt: skip
def test_a_fault_is_named_and_nothing_is_written(first, tmp_path, fault, rule):
    fault(first)
    before = {p.name: p.read_bytes() for p in first.iterdir()}
    with pytest.raises(PoolRefused) as refused:
        pooling.combine_answers(first, Destination(tmp_path / "report", "pool", ()))
    assert any(rule in p.rule for p in refused.value.problems)
    assert {p.name: p.read_bytes() for p in first.iterdir()} == before
    assert not (tmp_path / "report").exists()


def test_an_answer_that_was_changed_after_the_next_request_was_built_on_it_is_named(whole, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "copy")
    answer_twice(folder)
    (folder / "answer-Bonn-1.json").unlink()
    with pytest.raises(PoolRefused, match="is not the answer on which request 2 was built"):
        pooling.combine_answers(folder, Destination(tmp_path / "report", "pool", ()))
    (folder / "second.json").unlink()
    (folder / "request-2.json").unlink()
    with pytest.raises(PoolRefused, match=r"request-2\.json: is lost"):
        read_folder(folder)


def test_an_answer_without_the_sums_of_a_model_is_named(whole, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "copy")
    last = max(json.loads(p.read_text(encoding="utf-8"))["number"] for p in folder.glob("request*"))
    changed(folder / f"answer-Bonn-{last}.json", sealed_again=True, sums={})
    with pytest.raises(PoolRefused, match="has not the sums of the models"):
        read_folder(folder)


def stopped(*_):
    raise KeyboardInterrupt


def test_a_combine_that_is_killed_leaves_nothing_half_and_can_be_repeated(whole, first, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Destination, "_place", stopped)
        with pytest.raises(KeyboardInterrupt):
            pooling.combine_answers(first, Destination(tmp_path / "report", "pool", ()))
    assert not (first / "request-2.json").exists()
    again = pooling.combine_answers(first, Destination(tmp_path / "report", "pool", ()))
    assert again.request.read_bytes() == (whole[0] / "request-2.json").read_bytes()


def test_a_centre_that_differs_by_a_patient_or_a_plan_from_what_it_released_is_refused(tmp_path):
    one, other = tmp_path / "one" / "exchange", tmp_path / "other" / "exchange"
    for folder, study in ((one, STUDY), (other, STUDY.replace("Four", "The four"))):
        folder.parent.mkdir()
        planned(folder, study)
    more = pl.concat([SHEETS["Bonn"], patients(9, 1)])
    answer(one, 1, "Bonn", SHEETS["Bonn"], tmp_path / "c")
    with pytest.raises(PoolRefused, match="1 to 4 patients more"):
        answer(other, 1, "Bonn", more, tmp_path / "c")
    with pytest.raises(PoolRefused, match="by another plan"):
        answer(other, 1, "Bonn", SHEETS["Bonn"], tmp_path / "c")
    (one / "answer-Bonn-1.json").unlink()
    answer(one, 1, "Bonn", SHEETS["Bonn"], tmp_path / "c")  # the same once more tells nothing new
    assert answer(other, 1, "Bonn", more, tmp_path / "c", again=True).is_file()


def test_the_same_patients_are_not_told_by_a_plan_of_other_factors(tmp_path):
    one, other = tmp_path / "one" / "exchange", tmp_path / "other" / "exchange"
    for folder, study in ((one, STUDY), (other, STUDY.partition("[numbers")[0]
                                         + '[plan]\nfactors = [{name = "bulky"}]\n')):  # fmt: skip
        folder.parent.mkdir()
        planned(folder, study)
    answer(one, 1, "Bonn", SHEETS["Bonn"], tmp_path / "c")
    with pytest.raises(PoolRefused, match="by another plan"):
        answer(other, 1, "Bonn", SHEETS["Bonn"], tmp_path / "c")


def test_a_cohort_that_was_changed_between_two_requests_is_refused_in_any_case(whole, tmp_path):
    folder, changed_sheet = (
        tmp_path / "exchange",
        SHEETS["Bonn"].with_columns(LDH=pl.Series([99.0, *SHEETS["Bonn"]["LDH"][1:]])),
    )
    folder.mkdir()
    for number in (1, 2):
        shutil.copy(whole[0] / f"request-{number}.json", folder)
    answer(folder, 1, "Bonn", SHEETS["Bonn"], tmp_path / "c")
    with pytest.raises(PoolRefused, match="changed since request 1 was answered"):
        answer(folder, 2, "Bonn", changed_sheet, tmp_path / "c", again=True)
    assert answer(folder, 2, "Bonn", SHEETS["Bonn"], tmp_path / "c").is_file()


def test_a_request_that_is_not_built_on_what_the_centre_answered_is_refused(whole, tmp_path):
    shutil.copy(whole[0] / "request-2.json", tmp_path)
    SHEETS["Bonn"].write_csv(tmp_path / "bonn.csv")
    with pytest.raises(PoolRefused, match="it is not built on what this centre answered to request 1"):
        pooling.prepare_answer(tmp_path / "request-2.json", tmp_path / "bonn.csv", centre="Bonn")


def test_a_second_request_of_the_same_number_with_points_of_its_own_is_refused(whole, tmp_path):
    folder = tmp_path / "true"
    folder.mkdir()
    shutil.copy(whole[0] / "request-1.json", folder)
    answer(folder, 1, "Bonn", SHEETS["Bonn"], tmp_path / "c")
    points = json.loads((folder / "request-1.json").read_text(encoding="utf-8"))["points"]
    changed(folder / "request-1.json", sealed_again=True, points=points | {"os: bulky": [[0.3], [0.7]]})
    (folder / "answer-Bonn-1.json").unlink()
    with pytest.raises(PoolRefused, match="another request 1 of this study was answered already"):
        answer(folder, 1, "Bonn", SHEETS["Bonn"], tmp_path / "c")


def test_guards_hold_back_an_endpoint_and_a_model_and_few_centres_make_no_model(tmp_path):
    folder = tmp_path / "exchange"
    planned(folder)
    few = SHEETS["Bonn"].with_columns(os_event=pl.Series(["yes", "yes", *["no"] * 11]))
    small = SHEETS["Aarhus"].head(5).with_columns(response=pl.Series(["CR", "CR", "PD", "PD", "PD"]),
                                                  os_event=pl.Series(["yes"] * 3 + ["no"] * 2))  # fmt: skip
    answers = {}
    for centre, sheet in (SHEETS | {"Bonn": few}).items():
        answers[centre] = json.loads(answer(folder, 1, centre, sheet, tmp_path / "c").read_text(encoding="utf-8"))
    assert answers["Bonn"]["withheld"]["os"] == "fewer than 3 events"
    assert "os" not in answers["Bonn"]["tables"]["endpoints"]
    assert set(answers["Bonn"]["sums"]) == {"response: bulky", "response: ldh"}
    with pytest.raises(PoolRefused, match="nothing may be told"):
        answer(folder, 1, "Aarhus", small, tmp_path / "d")
    with pytest.raises(PoolRefused, match="fewer than 5 patients"):
        answer(folder, 1, "Aarhus", small.head(4), tmp_path / "e")


def test_a_coefficient_needs_three_patients(tmp_path):
    folder = tmp_path / "exchange"
    planned(folder, STUDY.replace('endpoint = "os"', 'endpoint = "response"'))
    eight = patients(5, 8)
    contents = json.loads(answer(folder, 1, "Bonn", eight, tmp_path / "c").read_text(encoding="utf-8"))
    assert contents["withheld"]["response: bulky + ldh"] == "8 patients for 3 coefficients, fewer than 3 each"
    assert "response: bulky" in contents["sums"]


@pytest.mark.parametrize(("change", "rule"), [
    (lambda s: s.with_columns(LDH=pl.col("LDH") / 60), "outside 50 to 2000 U/L: perhaps it is in another unit here"),
    (lambda s: s.drop("LDH"), "needs a column that is not there"),
    (lambda s: s.drop("os_days", "os_event"), "endpoint os is not in this cohort"),
])  # fmt: skip
def test_a_cohort_that_is_coded_otherwise_is_refused(tmp_path, change, rule):
    folder = tmp_path / "exchange"
    planned(folder)
    with pytest.raises((CohortRefused, PlanRefused)) as refused:
        answer(folder, 1, "Bonn", change(SHEETS["Bonn"]), tmp_path / "c")
    assert any(rule in p.rule for p in refused.value.problems)
    assert [p.name for p in folder.iterdir()] == ["request-1.json"]


def test_a_level_that_the_study_does_not_know_is_refused(tmp_path):
    folder = tmp_path / "exchange"
    study = STUDY.replace("[plan]\n", '[levels]\nstage = ["I-II", "III-IV"]\n[plan]\n')
    planned(folder, study + '[[plan.factors]]\nname = "stage"\ncolumn = "stage"\n')
    sheet = SHEETS["Bonn"].with_columns(stage=pl.Series(["I-II", *["III-IV", "stage 3"] * 6]))
    with pytest.raises(CohortRefused, match="1 values that are no level of the study"):
        answer(folder, 1, "Bonn", sheet, tmp_path / "c")


def test_everything_that_is_wrong_with_a_study_is_told_at_once(tmp_path):
    wrong = STUDY.replace('"Cádiz", "Delft"', '"bonn"').replace('["response", "os"]', '["response", "survival"]')
    wrong = wrong.replace("[numbers.ldh]", "[numbers.lhd]")
    (tmp_path / "study.toml").write_text(wrong, encoding="utf-8")
    with pytest.raises(PlanRefused) as refused:
        pooling.plan_pool(tmp_path / "study.toml", Destination(tmp_path / "out", "pool", ()))
    text = str(refused.value)
    for part in ("differ by capitals", "survival is no endpoint", "lhd is no factor", "factor ldh needs one coding"):
        assert part in text
    assert not (tmp_path / "out").exists()


def test_the_command_asks_before_it_writes(whole, tmp_path, main, monkeypatch):
    shutil.copy(whole[0] / "request-1.json", tmp_path)
    SHEETS["Bonn"].write_csv(tmp_path / "bonn.csv")
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    status, _, errors = main("pool", "answer", "request-1.json", "bonn.csv", "--centre", "Bonn", cwd=tmp_path)
    assert status == 2
    assert "Patients analysed: 13, of 13 in the cohort." in errors
    assert not list(tmp_path.glob("answer*"))
    assert main("pool", "answer", "request-1.json", "bonn.csv", "--yes", cwd=tmp_path)[0] == 2  # no centre is named
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert main("pool", "answer", "request-1.json", "bonn.csv", "--centre", "Bonn", cwd=tmp_path)[0] == 0
    assert (tmp_path / "answer-Bonn-1.json").read_bytes() == (whole[0] / "answer-Bonn-1.json").read_bytes()
    status, _, errors = main("pool", "combine", ".", "--out", tmp_path.with_name("report"), cwd=tmp_path)
    assert status == 2
    assert "the answer of Delft to request 1 is lacking" in errors
