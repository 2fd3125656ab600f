"""A masked study by files: the numbers of one table, from totals alone, and every fault named."""

from __future__ import annotations

import json
import shutil
import stat
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

pytest.importorskip("cryptography", reason="the extra 'pool' is not installed")
from test_exchange import CENTRES, STUDY, answer, arrays, assert_as_in_one_table, changed, planned
from test_exchange import SHEETS as SHEETS_OF_ROUNDS

from reinfuse.cohort.endpoints import DAYS_A_MONTH
from reinfuse.disclosure.study_keys import KeyFile
from reinfuse.exceptions import PoolRefused
from reinfuse.output import Destination
from reinfuse.pooling import fixed_point, masks
from reinfuse.pooling.combining import PooledResults
from reinfuse.pooling.descriptive_tables import kaplan_meier_at
from reinfuse.pooling.exchange_folder import read_folder
from reinfuse.pooling.masked_answers import size_of, unmasked
from reinfuse.pooling.masked_combining import combine_masked
from reinfuse.pooling.masked_tables import asked_tables, filled
from reinfuse.pooling.pooled_estimates import estimates
from reinfuse.pooling.sealing import unsealed
from reinfuse.statistics import firth, firth_left_truncated
from reinfuse.statistics.information_kept import information_kept, information_of
from reinfuse.statistics.likelihood_sums import logistic_sums
from reinfuse.study import pooling

SHEETS = {
    centre: sheet.with_columns(crs_grade=pl.Series((np.arange(sheet.height) + i) % 4), icans_grade=pl.Series(
        [None if centre == "Delft" else g % 2 for g in range(sheet.height)], dtype=pl.Int64))
    for i, (centre, sheet) in enumerate(SHEETS_OF_ROUNDS.items())
}  # fmt: skip
"""With worst grades; Delft has not recorded ICANS."""
MASKED = STUDY.replace('title = "Four centres"', 'title = "Four centres"\nmode = "masked"')


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folders of a study that has come to its end, of its report, and of the centres."""
    base = tmp_path_factory.mktemp("masked")
    folder, report, centres = base / "exchange", base / "report", base / "centres"
    planned(folder, MASKED)
    for number in range(1, 20):
        for centre in CENTRES:
            answer(folder, number, centre, SHEETS[centre], centres)
        if pooling.combine_answers(folder, Destination(report, "pool", ())).report:
            return folder, report, centres
    raise AssertionError("no end")


@pytest.fixture(scope="module")
def results(whole):
    combined = combine_masked(read_folder(whole[0]))
    assert isinstance(combined, PooledResults)
    return combined


@pytest.fixture
def second(whole, tmp_path):
    """Return a folder with the first two requests and all answers to them, and the centres' folder, as they were."""
    folder, centres = tmp_path / "exchange", tmp_path / "centres"
    folder.mkdir()
    for path in (p for n in (1, 2) for p in whole[0].glob(f"*-{n}.json")):
        shutil.copy(path, folder)
    shutil.copytree(whole[2], centres)
    return folder, centres


def effect(results, endpoint, term, **wanted):
    return next(e for e in estimates(results) if (e.analysis, e.endpoint, e.term) == ("association", endpoint, term)
                and all(getattr(e, k) == v for k, v in wanted.items()))  # fmt: skip


def test_patients_behind_a_published_curve_are_not_pooled(tmp_path):
    folder = tmp_path / "exchange"
    planned(folder, MASKED)
    curve = SHEETS["Bonn"].with_columns(patient_id=pl.format("reconstructed-{}", pl.int_range(SHEETS["Bonn"].height)))
    with pytest.raises(PoolRefused, match="patients behind a published curve"):
        answer(folder, 1, "Bonn", curve, tmp_path / "c", again=True)
    assert [p.name for p in folder.iterdir()] == ["request-1.json"]


def test_effects_are_those_of_one_table(results):
    X, response, event, time, site = arrays(*CENTRES)
    for j, term in enumerate(("bulky", "ldh")):
        one = firth.fit("logistic", X[:, [j]], response)
        record = effect(results, "response", term, method=firth.METHODS["logistic"])
        assert_as_in_one_table(record, one, 0)
        assert (record.n, record.events) == (len(response), response.sum())
    entry = site * 1e5
    one = firth_left_truncated.fit(X, entry, entry + time, event, 0.95)
    for j, term in enumerate(("bulky", "ldh")):
        assert_as_in_one_table(effect(results, "os", term, model="multivariable"), one, j)


def test_counts_are_totals_and_nothing_is_told_of_a_single_centre(results, whole):
    X, *_ = arrays(*CENTRES)
    records = estimates(results)
    yes = next(e for e in records if (e.term, e.level, e.statistic) == ("bulky", "yes", "count"))
    assert yes.estimate == X[:, 0].sum()
    assert {e.population for e in records} == {"all"}
    assert not [e for e in records if e.analysis in ("heterogeneity", "influence")]
    assert not [e for e in records if (e.method or "").startswith(("Mantel", "exact"))]
    assert next(e for e in records if e.analysis == "survival" and e.statistic == "p_value").p_value is not None
    contents = json.loads((whole[1] / "findings.json").read_text(encoding="utf-8"))
    seals = {json.loads(p.read_text(encoding="utf-8"))["sha256"] for p in whole[0].glob("*.json")}
    exchanges = contents["provenance"]["exchanges"]
    assert {h for x in exchanges for h in (x["request"], *x["answers"].values())} == seals
    assert [f["analysed"] for f in contents["flow"]] == [len(X)]
    page = (whole[1] / "report.html").read_text(encoding="utf-8")
    assert "under masks" in page


def test_curves_grades_and_the_price_of_strata_come_from_sums_over_the_centres(results):
    """A half-year is given while 5 are at risk in every centre; ICANS, which Delft has not recorded, is not given."""
    _, _, event, time, site = arrays(*CENTRES)
    records, n = estimates(results), np.bincount(site)
    rates = [e for e in records if e.statistic == "rate_at"]
    months = [m for m in range(6, 60, 6) if all((time[site == s] > m * DAYS_A_MONTH).sum() >= 5 for s in range(4))]
    assert [e.at for e in rates] == pytest.approx([m * DAYS_A_MONTH for m in months])
    assert months
    curves = [kaplan_meier_at(time[site == s], event[site == s], days=[e.at for e in rates]) for s in range(4)]
    survival = sum(np.round(k * c[0], 1) for k, c in zip(n, curves, strict=True)) / n.sum()
    assert [e.estimate for e in rates] == pytest.approx(survival)
    errors = sum(np.round((k * c[1]) ** 2, 1) for k, c in zip(n, curves, strict=True)) ** 0.5 / n.sum()
    lower = survival ** np.exp(1.959963984540054 * errors / (survival * -np.log(survival)))
    assert [e.lower for e in rates] == pytest.approx(lower)
    grades = np.concatenate([s["crs_grade"].to_numpy() for s in SHEETS.values()])
    counts = [e.estimate for e in records if e.analysis == "toxicity" and e.term == "CRS" and e.statistic == "count"]
    assert counts[:6] == [(grades == g).sum() for g in range(6)]
    (icans,) = {e.note for e in records if e.analysis == "toxicity" and e.term == "ICANS"}
    assert icans == "not estimable: not recorded, or in fewer than 5 patients, in 1 centre"
    price = next(e for e in records if e.analysis == "price_of_stratifying")
    events = [int(event[site == s].sum()) for s in range(4)]
    assert price.estimate == pytest.approx(information_kept(n.tolist(), events), abs=2 / sum(events))
    told = sum(round(information_of(*pair)) for pair in zip(n.tolist(), events, strict=True))
    assert price.estimate == pytest.approx(told / information_of(sum(n), sum(events)))


def test_what_one_centre_holds_back_is_drowned_for_all(whole):
    """The total of ICANS, and of curves beyond the last month of one centre, is a random number, as is every share."""
    exchanges = read_folder(whole[0])
    request = exchanges.requests[1]
    answers = [fixed_point.of_text(exchanges.answers[1][c].masked) for c in CENTRES]
    total = fixed_point.decoded([sum(column) % fixed_point.MODULUS for column in zip(*answers, strict=True)])
    order = asked_tables(request)
    tables = filled(order, iter(total.tolist()))
    icans, curve = tables["toxicity"]["ICANS"], tables["curves"]["os"]
    assert icans["held_back"] == 1
    assert min(abs(v) for v in (icans["n"], *icans["grades"].values())) > 2.0**30
    hidden = [i for i, lacking in enumerate(curve["held_back"]) if lacking]
    assert hidden
    assert min(abs(curve[what][i]) for i in hidden for what in ("survival", "variance")) > 2.0**30


def test_without_one_centre_the_others_sums_are_random_and_with_it_their_total_alone_is_read(whole):
    """The coordinator has three of four answers: what he adds up passes no check, and has no small number in it."""
    exchanges = read_folder(whole[0])
    request, answers = exchanges.requests[1], exchanges.answers[1]
    lists = [fixed_point.of_text(answers[c].masked) for c in CENTRES]
    weights = masks.check_weights(request.digest, size_of(request))
    partial = [sum(column) % fixed_point.MODULUS for column in zip(*lists[:3], strict=True)]
    assert not fixed_point.passes_check(partial, weights)
    for integers in (*lists, partial):  # a count below 100 would be one of 100 of 2^128
        assert np.abs(fixed_point.decoded(integers)).min() > 2.0**40
    total = unmasked(exchanges).answers[0]
    assert total["Aarhus"].tables["flow"]["analysed"] == sum(s.height for s in SHEETS.values())


def test_all_other_centres_together_learn_the_last_one(whole):
    """What docs/pooling.md says: two that collude, of three, have the third; here three of four."""
    X, response, *_, site = arrays(*CENTRES)
    total = unmasked(read_folder(whole[0])).answers[0]["Aarhus"].sums["response: bulky"]
    Z = np.column_stack([X[:, 0], np.ones(len(X))])
    others = logistic_sums(Z[site != 1], response[site != 1], points=np.zeros((1, 2)))
    with_factor, _, patients = 4 * (total.cumulants[1] - others.cumulants[1])[0]
    assert (with_factor, patients) == pytest.approx((X[site == 1, 0].sum(), 13))


def lose(folder):
    (folder / "answer-Bonn-2.json").unlink()


def double(folder):
    shutil.copy(folder / "answer-Bonn-2.json", folder / "answer-Bonn-2 (1).json")


def alter(folder):
    path = folder / "answer-Bonn-2.json"
    integers = fixed_point.of_text(unsealed(path)["masked"])
    integers[7] = (integers[7] + (1 << 64)) % fixed_point.MODULUS  # one more
    changed(path, sealed_again=True, masked=fixed_point.as_text(integers))


def alter_without_seal(folder):
    changed(folder / "answer-Bonn-2.json", masked="")


def answer_another_request(folder):
    changed(folder / "answer-Bonn-2.json", sealed_again=True, request_sha256="0" * 64)


def change_a_key(folder):
    keys = unsealed(folder / "request-2.json")["keys"]
    changed(folder / "request-2.json", sealed_again=True, keys=keys | {"Bonn": masks.public_key(masks.new_key())})


def cut_off(folder):
    path = folder / "answer-Bonn-2.json"
    changed(path, sealed_again=True, masked=unsealed(path)["masked"][:64])


@pytest.mark.parametrize(("fault", "rule"), [
    (lose, "the answer of Bonn to request 2 is lacking"),
    (double, "is the answer of answer-Bonn-2 (1).json a second time"),
    (alter, "the masks of the answers do not cancel"),
    (cut_off, "the masks of the answers do not cancel"),
    (alter_without_seal, "was altered after it was written"),
    (answer_another_request, "answers another request 2 than that in the folder"),
    (change_a_key, "answers another request 2 than that in the folder"),
])  # fmt: skip
def test_a_fault_is_named_and_nothing_is_written(second, tmp_path, fault, rule):
    folder, _ = second
    fault(folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(PoolRefused) as refused:
        pooling.combine_answers(folder, Destination(tmp_path / "report", "pool", ()))
    assert any(rule in p.rule for p in refused.value.problems)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_centre_makes_one_answer_under_a_mask(second, tmp_path):
    folder, centres = second
    path = folder / "answer-Bonn-2.json"
    text = path.read_bytes()
    path.unlink()
    answer(folder, 2, "Bonn", SHEETS["Bonn"], centres)  # the same once more tells nothing new
    assert path.read_bytes() == text
    path.unlink()
    log = centres / "log-Bonn" / "answers.jsonl"
    kept = [line for line in log.read_text(encoding="utf-8").splitlines() if json.loads(line)["number"] == 2]
    log.write_text("\n".join(kept) + "\n", encoding="utf-8")  # as if the first had been noted elsewhere
    sheet = SHEETS["Bonn"].with_columns(os_days=SHEETS["Bonn"]["os_days"] + 1)
    with pytest.raises(PoolRefused, match="two answers under one mask tell their difference"):
        answer(folder, 2, "Bonn", sheet, centres, again=True)
    assert not path.exists()


@pytest.mark.parametrize(("change", "rule"), [
    ({"Bonn": "own"}, "holds another key of this centre than it sent"),
    ({"Delft": "other"}, "holds other keys of the centres than the request before: a key was changed in between"),
    ({"Delft": None}, "does not hold one key of each centre"),
])  # fmt: skip
def test_a_request_with_another_key_is_not_answered(second, change, rule):
    folder, centres = second
    (folder / "answer-Bonn-2.json").unlink()
    keys = dict(unsealed(folder / "request-2.json")["keys"])
    for centre, what in change.items():
        keys[centre] = masks.public_key(masks.new_key())
        if what is None:
            del keys[centre]
    changed(folder / "request-2.json", sealed_again=True, keys=keys)
    with pytest.raises(PoolRefused) as refused:
        answer(folder, 2, "Bonn", SHEETS["Bonn"], centres, again=True)
    assert rule in str(refused.value)


def test_another_request_of_the_same_number_is_refused_in_any_case(second):
    folder, centres = second
    points = unsealed(folder / "request-2.json")["points"] | {"os: bulky": [[0.3]]}
    changed(folder / "request-2.json", sealed_again=True, points=points)
    with pytest.raises(PoolRefused, match="another request 2 of this study was answered already"):
        answer(folder, 2, "Bonn", SHEETS["Bonn"], centres, again=True)


def test_the_private_key_is_for_its_owner_alone_and_ends_with_the_study(second, main, monkeypatch):
    folder, centres = second
    (path,) = (centres / "log-Bonn" / "pool-keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = KeyFile(centres / "log-Bonn", unsealed(folder / "request-1.json")["study_sha256"], "Bonn").key
    assert not any(key.private in p.read_text(encoding="utf-8") for p in folder.iterdir())
    monkeypatch.setenv("REINFUSE_RELEASES", str(centres / "log-Bonn"))
    assert "was deleted" in main("pool", "end", folder / "request-2.json")[1]
    assert key.private not in path.read_text(encoding="utf-8")
    assert not pooling.end_study(folder / "request-2.json")
    (folder / "answer-Bonn-2.json").unlink()
    with pytest.raises(PoolRefused, match="the key of this study was ended here"):
        answer(folder, 2, "Bonn", SHEETS["Bonn"], centres)


def test_a_study_without_a_centre_that_had_answered_is_refused_as_the_difference_is_that_centre(second, tmp_path):
    _, centres = second
    folder = tmp_path / "without" / "exchange"
    folder.parent.mkdir()
    planned(folder, MASKED.replace(', "Delft"', ""))
    for centre in CENTRES[:3]:
        answer(folder, 1, centre, SHEETS[centre], centres)  # keys alone
    pooling.combine_answers(folder, Destination(tmp_path / "report", "pool", ()))
    with pytest.raises(PoolRefused, match="the difference is that centre alone"):
        answer(folder, 2, "Bonn", SHEETS["Bonn"], centres)
    assert answer(folder, 2, "Bonn", SHEETS["Bonn"], centres, again=True).is_file()


def test_what_one_centre_may_not_tell_is_asked_of_none(tmp_path):
    folder = tmp_path / "exchange"
    planned(folder, MASKED)
    few = SHEETS["Bonn"].with_columns(os_event=np.array(["yes", "yes", *["no"] * 11]))
    for centre, sheet in (SHEETS | {"Bonn": few}).items():
        answer(folder, 1, centre, sheet, tmp_path / "c")
    contents = unsealed(folder / "answer-Bonn-1.json")
    assert contents["withheld"] == {"os": "guards"}  # not how many
    request = pooling.combine_answers(folder, Destination(tmp_path / "report", "pool", ())).request
    assert set(unsealed(request)["points"]) == {"response: bulky", "response: ldh"}


def test_the_fixed_point_holds_every_float_above_its_last_place_and_refuses_what_could_overflow():
    values = [0.1, -1e5 / 3, 2.0**-40 / 7, 0.0]
    integers = fixed_point.encoded(values, 200)
    assert [abs(Fraction(v) - Fraction(float(d))) <= Fraction(1, 1 << 64) for v, d in
            zip(values, fixed_point.decoded(integers), strict=True)] == [True] * 4  # fmt: skip
    largest = 2.0**62 / 3
    top = fixed_point.encoded([largest * (1 - 1e-15)], 3)[0]
    assert fixed_point.decoded([3 * top])[0] == pytest.approx(2.0**62)
    for value in (largest, -largest, float("nan"), float("inf")):
        with pytest.raises(fixed_point.TooLarge):
            fixed_point.encoded([value], 3)


def test_masks_of_two_requests_or_two_pairs_have_nothing_in_common():
    private = {c: masks.new_key() for c in "ABC"}
    keys = {c: masks.public_key(p) for c, p in private.items()}
    under = {(c, r): masks.masked([0, 0], centre=c, private=private[c], keys=keys, request=r * 32)
             for c in "ABC" for r in ("00", "01")}  # fmt: skip
    assert len({i for integers in under.values() for i in integers}) == 12
    for r in ("00", "01"):
        assert [sum(under[c, r][i] for c in "ABC") % fixed_point.MODULUS for i in (0, 1)] == [0, 0]
