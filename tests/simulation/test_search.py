"""The search: toy objectives and tallies with known answers, and one small search from end to end."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from reinfuse.exceptions import PlanRefused
from reinfuse.report.figures.virtual_search import region as drawn_region
from reinfuse.report.figures.virtual_search import value_of_information as drawn_information
from reinfuse.results.estimate import Estimate
from reinfuse.simulation.model.parameters import MIXTURE, PARAMETERS
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import UNKNOWNS
from reinfuse.simulation.search import bayesian_optimization
from reinfuse.simulation.search.design_space import OBJECTIVES, Question
from reinfuse.simulation.search.evaluation import EvaluatedProtocol, all_patients, eligible_patients, evaluate
from reinfuse.simulation.search.frontier import best_weights, pareto
from reinfuse.simulation.search.near_optimal import compared, of_members
from reinfuse.simulation.search.search import SearchSize, search, search_key
from reinfuse.simulation.search.value_of_information import (
    MEASUREMENTS,
    Differences,
    differences,
    information,
    measured_unknowns,
    partial_information,
    perfect,
)
from reinfuse.simulation.trial.array_store import ArrayStore
from reinfuse.simulation.trial.outcomes import needs_another, outcomes
from reinfuse.simulation.trial.toxicity import rates_of_members
from reinfuse.simulation.trial.trial import Protocols, Trial, block_of, in_threads


@pytest.fixture(scope="module")
def ensemble() -> Ensemble:
    """Twelve populations near the prior's medians."""
    z = 0.3 * np.random.default_rng(5).standard_normal((12, len(UNKNOWNS)))
    return Ensemble(z, np.full(len(z), -4.0))


def toy(random: np.random.Generator, means: np.ndarray, patients: int, toxic: tuple[float, ...],
        burdens: tuple[float, ...] = ()) -> tuple:  # fmt: skip
    """Return protocols evaluated in patients of members; `means` (members, protocols) are the members' true shares."""
    which = np.repeat(np.arange(len(means)), patients)
    uniform = random.uniform(size=len(which))
    every = np.ones(len(which), dtype=bool)
    burden = burdens or np.zeros(len(toxic))
    return which, [EvaluatedProtocol((uniform < means[which, k]).astype(float), np.full(len(which), t),
                                     np.full(len(which), burden[k]), every, every)
                   for k, t in enumerate(toxic)]  # fmt: skip


def test_the_region_holds_what_cannot_be_told_apart():
    # 0 and 1 alike on average but not in each population; 2 worse everywhere; 3 better but too toxic; 4 hardly worse
    random = np.random.default_rng(1)
    shift = np.linspace(-0.15, 0.15, 40)
    base = np.full(40, 0.4)
    means = np.column_stack([base, base + shift - 0.002, base - 0.2, base + 0.2, base - 0.01])
    which, evaluated = toy(random, means, 200, (0.1, 0.1, 0.1, 0.4, 0.1))
    question = Question()
    points = question.at(random.uniform(size=(5, 4)))
    region = compared(question, points, evaluated, which=which, members=40, designed=5)
    assert region is not None
    assert region.best in (0, 1)
    assert list(region.admissible) == [True, True, True, False, True]
    assert list(region.inside) == [True, True, False, False, True]
    assert region.distinguishable[2]
    assert region.protocols[2].difference.mean == pytest.approx(-0.2, abs=0.02)
    low, high = region.ranges["flu"]
    assert low == points[region.inside, 1].min()
    assert high == points[region.inside, 1].max()
    assert region.share == (3, 5)
    strict = compared(Question(margin=0.0), points, evaluated, which=which, members=40, designed=5)
    assert strict is not None
    assert list(strict.inside) == [True, True, False, False, False]


def test_the_frontier_and_what_is_best_by_the_weight_of_a_toxicity():
    # 0 costs nothing and gains little, 1 is worth its cost up to a weight of 0.4, 2 is beaten by 1, 3 costs most
    gain, burden = (0.1, 0.5, 0.45, 0.6), (0.0, 1.0, 1.1, 2.0)
    which, evaluated = toy(np.random.default_rng(3), np.tile(gain, (20, 1)), 1500, (0.1,) * 4, burden)
    for weight, best in ((0.0, 3), (0.05, 3), (0.25, 1), (0.6, 0)):
        question = Question(toxicity_weight=weight)
        region = compared(question, question.at(np.random.default_rng(1).uniform(size=(4, 4))), evaluated, which=which,
                          members=20, designed=4)  # fmt: skip
        assert region is not None
        assert region.best == best
        assert list(region.frontier) == [0, 1, 3]
        (low, high), (lower, _) = region.frontier[1], region.frontier[0]
        assert (low, high) == pytest.approx((0.1, 0.4), abs=0.03)
        assert lower == high
    frame = region.frame()
    assert frame["on_frontier"].to_list() == [True, True, False, True]
    assert frame["net"][1] == pytest.approx(0.5 - 0.6, abs=0.02)


def test_a_protocol_that_is_best_for_no_weight_is_on_the_frontier_all_the_same():
    which, evaluated = toy(
        np.random.default_rng(3), np.tile((0.1, 0.2, 0.5), (20, 1)), 1500, (0.1,) * 3, (0.0, 0.5, 1.0)
    )
    question = Question()
    region = compared(question, question.at(np.random.default_rng(1).uniform(size=(3, 4))), evaluated, which=which,
                      members=20, designed=3)  # fmt: skip
    assert region is not None
    assert region.frontier[1] is None
    frame = region.frame()
    assert frame["on_frontier"].to_list() == [True, True, True]
    assert frame["best_from_weight"].is_null().to_list() == [False, True, False]


def test_a_frontier_by_hand():
    gain, cost = np.array([0.2, 0.2, 0.1, 0.5, 0.4]), np.array([0.1, 0.1, 0.3, 0.6, 0.6])
    assert pareto(gain, cost).tolist() == [0, 3]
    assert best_weights(gain[[0, 3]], cost[[0, 3]]) == [(pytest.approx(0.6), float("inf")), (0.0, pytest.approx(0.6))]
    assert best_weights(np.array([0.3]), np.array([0.2])) == [(0.0, float("inf"))]


def test_no_protocol_keeps_the_bound():
    which, evaluated = toy(np.random.default_rng(1), np.full((10, 1), 0.4), 20, (0.3,))
    assert compared(Question(), Question().usual[None], evaluated, which=which, members=10, designed=1) is None


def test_members_means_are_freed_of_noise():
    random = np.random.default_rng(4)
    true = random.normal(0.5, 0.1, 500)
    which = np.repeat(np.arange(500), 10)
    means = of_members(true[which] + random.normal(0, 0.4, len(which)), which, members=500)
    assert np.std(means.mean) == pytest.approx(0.1, rel=0.15)
    assert means.share_below(0.5) == pytest.approx(0.5, abs=0.06)
    assert means.quantile(0.9) == pytest.approx(0.5 + 0.1 * norm.ppf(0.9), abs=0.02)


def test_the_optimum_of_a_toy_objective_is_found_within_its_bound():
    # best of all at (0.7, 0.3), but allowed only where the first coordinate is at most 0.5
    def of(unit: np.ndarray) -> bayesian_optimization.Evaluation:
        return unit, 1 - (unit[0] - 0.7) ** 2 - (unit[1] - 0.3) ** 2, unit[0] - 0.5

    initial = [of(u) for u in np.random.default_rng(2).uniform(size=(12, 2))]
    path = bayesian_optimization.maximise(of, initial, 8, seed=3)
    best = max((f for f in path if f[2] <= 0), key=lambda f: f[1])
    assert best[0] == pytest.approx([0.5, 0.3], abs=0.03)
    again = bayesian_optimization.maximise(of, initial, 2, seed=3)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(path[:2], again, strict=True))
    assert all(np.all((f[0] >= 0) & (f[0] <= 1)) for f in path)


def _loss(mean: float, sd: float) -> float:
    """Return the expected value of perfect information where the difference is normal."""
    return mean * norm.cdf(mean / sd) + sd * norm.pdf(mean / sd) - max(mean, 0.0)


def linear(random: np.random.Generator, members: int) -> tuple[Differences, np.ndarray]:
    """Return differences of -0.02 + 0.06 z0 + 0.04 z5, seen in 16 noisy patients of each population, and all z."""
    z = random.standard_normal((members, len(UNKNOWNS)))
    which = np.repeat(np.arange(members), 16)
    second = (-0.02 + 0.06 * z[:, 0] + 0.04 * z[:, 5])[which] + random.normal(0, 0.4, len(which))
    return differences(np.column_stack([np.zeros(len(which)), second]), which, members=members)[0], z


def test_value_of_information_of_a_linear_problem():
    random, replicates = np.random.default_rng(7), []
    for _ in range(60):
        of, z = linear(random, 200)
        (values, narrows), _ = partial_information(of, z, [[0], [5], [2], [0, 2, 5]], seed=1, permutations=0)
        noisy = perfect(Differences(of.n, of.mean, 0 * of.within))
        replicates.append([*values, perfect(of), noisy, *narrows[:3]])
    both = _loss(-0.02, np.hypot(0.06, 0.04))
    first, second, none, three, of_all, noisy, *narrows = np.mean(replicates, axis=0)
    assert first == pytest.approx(_loss(-0.02, 0.06), abs=0.002)
    assert second == pytest.approx(_loss(-0.02, 0.04), abs=0.002)
    assert none < 0.001
    assert three == pytest.approx(both, abs=0.002)
    assert of_all == pytest.approx(both, abs=0.002)
    assert noisy > 1.5 * both
    assert narrows == pytest.approx([0.36 / 0.52, 0.16 / 0.52, 0], abs=0.06)


def test_what_is_worth_knowing_stands_out():
    of, z = linear(np.random.default_rng(7), 400)
    value = information(of, z, 1, permutations=100)
    assert {w.name for w in value.unknowns if w.significant} == {UNKNOWNS[0], UNKNOWNS[5]}
    best = max(value.measurements, key=lambda w: w.value)
    assert {UNKNOWNS[0], UNKNOWNS[5]} <= set(best.unknowns)
    assert best.significant
    assert best.value > max(w.value for w in value.unknowns)


def test_noise_alone_is_worth_nothing():
    random = np.random.default_rng(8)
    z = random.standard_normal((200, len(UNKNOWNS)))
    which = np.repeat(np.arange(200), 16)
    of, _ = differences(random.normal(0, 0.4, (len(which), 3)), which, members=200)
    value = information(of, z, 1, permutations=60)
    assert value.perfect < 0.01
    assert sum(w.significant for w in (*value.unknowns, *value.measurements)) <= 1
    assert value == information(of, z, 1, permutations=60)


def test_every_unknown_is_told_by_one_measurement():
    names = [u for names in measured_unknowns().values() for u in names]
    assert sorted(names) == sorted(UNKNOWNS)
    assert {n for of in MEASUREMENTS.values() for n in of} <= {p.name for p in (*PARAMETERS, *MIXTURE)}


def test_points_keep_their_limits_and_go_back_and_forth():
    question = Question(limits={"interval_days": (60, 60), "flu": (0.33, 1.2)}, search_cart1=True, extrapolate=True)
    unit = np.random.default_rng(1).uniform(size=(50, 5))
    points = question.at(unit)
    low, high = (np.array([getattr(c, n) for c in question.coordinates]) for n in ("low", "high"))
    assert np.all((points >= low) & (points <= high))
    assert np.all(points[:, 3] == 60)
    assert question.unit(points) == pytest.approx(unit, abs=0.04)
    assert question.arm(points[0]).infusions[0].courses == pytest.approx(tuple(points[0, 4:]))
    assert np.array_equal(question.rounded(points), points)


WRONG = [
    {"toxicity_weight": -0.1},
    {"toxicity_weight": 11},
    {"objective": "os"},
    {"max_crs_rate": 0},
    {"probability": 1.5},
    {"margin": -1},
]
WRONG += [{"limits": {name: pair}} for name, pair in
          (("flux", (0, 1)), ("flu", (1, 0)), ("interval_days", (14, 60)), ("flu_cart1", (0, 1)))]  # fmt: skip
WRONG += [{"search_cart1": True, "limits": {"interval_days": (60, 90)}}]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_question_that_cannot_be_asked_is_refused(wrong):
    with pytest.raises(PlanRefused):
        Question(**wrong)


def test_patients_are_the_same_whatever_the_interval(ensemble):
    question, runner = Question(objective="response"), in_threads()
    on = eligible_patients(question, ensemble, 1, first=0, count=600, runner=runner)
    soon, late = (evaluate(on, question.arm(np.array([1.0, 1.0, 7.3, d])), runner) for d in (35.0, 120.0))
    assert len(soon.value) == len(late.value) == on.eligible.sum() == len(on.which)
    assert soon.given.all()
    assert late.given.mean() < 1
    lost = late.value[~late.given]
    assert np.mean(lost) < np.mean(late.value[late.given])


def test_a_protocol_weighs_as_in_a_trial(ensemble):
    question = Question(objective="response")
    arm = question.arm(question.usual)
    every = all_patients(question, ensemble, 1, first=0, count=300)
    one = evaluate(every, arm, in_threads(1), treated=True)
    tally = block_of(Trial(Protocols(arms=(arm,)), ensemble, 1), (0, 300))
    assert tally.given.sum() == one.given.sum()
    assert tally.total[:, 0, 0].sum() == pytest.approx(one.value[one.given].sum(), abs=1)
    assert tally.total[:, 0, 3].sum() == pytest.approx(one.toxicity[one.given].sum(), rel=1e-3)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_is_a_share_and_travels(ensemble, objective):
    """Of patients treated or not; and the work can be sent elsewhere, as a cluster needs."""

    def sent(work, blocks):
        return [pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(work))(block))) for block in blocks]

    question = Question(objective=objective)
    on = eligible_patients(question, ensemble, 1, first=0, count=150, runner=sent)
    arm = question.arm(np.array([1.0, 1.0, 7.3, 200.0]))
    far, here = evaluate(on, arm, sent), evaluate(on, arm, in_threads())
    assert np.array_equal(far.value, here.value)
    assert set(np.unique(far.value)) <= {0.0, 1.0}
    durable = evaluate(replace(on, question=Question()), arm, in_threads()).value
    if objective in ("response", "pfs_6_months"):
        assert np.all(here.value >= durable)


def test_both_regimens_can_be_searched(ensemble):
    question = Question(search_cart1=True)
    on = eligible_patients(question, ensemble, 1, first=0, count=200, runner=in_threads())
    assert on.eligible.all()
    evaluation = evaluate(on, question.arm(question.usual), in_threads())
    assert evaluation.exposed.all()
    assert 0 < evaluation.given.mean() < 1
    assert evaluation.value[~evaluation.given].mean() > evaluation.value[evaluation.given].mean()


def test_those_who_wait_are_the_slowly_growing(ensemble):
    """What makes the mean over the treated a bad guide: with a longer wait those who are treated were picked by it."""
    from reinfuse.simulation.calibration.reference_study import run_protocol
    from reinfuse.simulation.population.virtual_patients import draws, parameters

    drawn = draws(1, 0, 600)
    member, _ = ensemble.of_patients(0, 600)
    p = parameters(member, drawn)
    growth = []
    for days in (35.0, 120.0):
        arm = Question().arm(np.array([1.0, 1.0, 7.3, days]))
        out, _ = run_protocol(
            member,
            p,
            drawn,
            schedule=arm.schedule,
            day=np.tile(arm.schedule.day, (600, 1)),
            follow=29.0,
            rtol=1e-4,
            counted=np.empty(0),
        )
        who = needs_another(out[:, 0], out[:, 1]) & ~outcomes(out[:, 0]).response
        growth.append(np.median(p[who, [q.name for q in PARAMETERS].index("g")]))
    assert growth[1] < growth[0]


@pytest.fixture(scope="module")
def small(ensemble):
    """A small search, asked twice."""
    calls = []
    size = SearchSize(design=8, steps=3, around=4, finalists=3, permutations=20)
    question = Question(objective="response", max_crs_rate=0.3, limits={"interval_days": (60.0, 200.0)})
    results = [search(question, ensemble, 3, patients=1024, size=size, progress=lambda *a: calls.append(a))
               for _ in range(2)]  # fmt: skip
    return *results, calls


def test_a_search_from_end_to_end(small):
    result, again, calls = small
    frame = result.region.frame()
    assert frame.equals(again.region.frame())
    assert result.information == again.information
    assert frame["best"].sum() == 1
    assert frame.filter("best")["in_region"][0]
    assert frame.filter("best")["bound_kept"][0] >= 0.5
    assert frame["interval_days"].min() >= 60
    assert frame["interval_days"].max() <= 200
    assert frame["flu"].min() >= 0
    assert frame["flu"].max() <= 1.5
    admissible = frame.filter("admissible")
    assert frame.filter("best")["net"][0] == admissible["net"].max()
    assert 2 <= len(result.finalists.protocols) <= 3
    assert result.finalists.best == 0
    assert result.fresh > 0
    assert result.patients > 0
    assert {name for name, _, _ in calls} >= {"protocols evaluated", "finalists in independent patients"}


def test_what_lymphodepletion_costs_is_charged_to_who_is_given_it(ensemble):
    question = Question(objective="response")
    on = eligible_patients(question, ensemble, 1, first=0, count=300, runner=in_threads())
    none, more = (evaluate(on, question.arm(np.array([x, x, 6.3, 60.0])), in_threads()) for x in (0.0, 1.0))
    rates = rates_of_members(len(ensemble))
    expected = rates.burden(question.arm(np.array([1.0, 1.0, 6.3, 60.0])).infusions[1])[on.which]
    assert more.burden[more.given] == pytest.approx((more.toxicity + expected)[more.given])
    spared = more.burden[~more.given] - expected[~more.given]  # as if given: with the CRS of those who are
    assert spared == pytest.approx(more.toxicity[more.given].mean())
    assert none.burden.mean() < more.burden.mean() - 0.2
    assert np.array_equal(more.net(0.5), more.value - 0.5 * more.burden)


class Stopping(ArrayStore):
    """A store at which the search is stopped."""

    def save(self, name, arrays):
        super().save(name, arrays)
        if len(list(self.folder.rglob("*.npz"))) == 9:
            raise KeyboardInterrupt


def test_an_interrupted_search_goes_on_to_the_same_end(ensemble, small, tmp_path):
    size = SearchSize(design=8, steps=3, around=4, finalists=3, permutations=20)
    question = small[0].question
    key = search_key(question, ensemble, 3, 1024)
    with pytest.raises(KeyboardInterrupt):
        search(question, ensemble, 3, patients=1024, size=size, store=Stopping(tmp_path, key))
    left = {path.name for path in tmp_path.rglob("*.npz")}
    assert len(left) == 9
    again = search(question, ensemble, 3, patients=1024, size=size, store=ArrayStore(tmp_path, key))
    assert again.region.frame().equals(small[0].region.frame())
    assert again.finalists.frame().equals(small[0].finalists.frame())
    assert search_key(replace(question, toxicity_weight=0.3), ensemble, 3, 1024) == key
    assert search_key(replace(question, objective="cr"), ensemble, 3, 1024) != key


def test_a_stored_evaluation_that_is_damaged_or_of_another_search_is_not_read(tmp_path):
    store = ArrayStore(tmp_path, "one")
    store.save("a", {"value": np.arange(3.0)})
    assert store.load("a")["value"].tolist() == [0, 1, 2]
    (path,) = tmp_path.rglob("*.npz")
    other = ArrayStore(tmp_path, "other")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / path.name).write_bytes(path.read_bytes())
    assert other.load("a") is None
    path.write_bytes(path.read_bytes()[:100])
    assert store.load("a") is None


def test_its_records_and_figures(small):
    result = small[0]
    records = list(result.records())
    assert all(isinstance(r, Estimate) and r.analysis == "virtual" for r in records)
    statistics = {r.statistic for r in records}
    assert {
        "region_share",
        "region_range",
        "net_difference",
        "frontier_objective",
        "value_of_information",
        "variance_explained",
    } <= statistics
    ranges = [r for r in records if r.statistic == "region_range"]
    assert [r.term for r in ranges] == ["cy", "flu", "log10_dose", "interval_days"]
    assert all(r.lower <= r.estimate <= r.upper for r in ranges)
    frame = result.region.frame()
    drawn = drawn_region("region", "Region", frame, axes_of=[("log10_dose", "Dose", "flu", "Flu")],
                         usual=result.question.arm(result.question.usual).name, synthetic=False, columns=1)  # fmt: skip
    assert drawn.svg.startswith(b"<?xml")
    assert drawn.data["kind"].is_in(["best"]).sum() == 1
    worth = drawn_information("worth", "Worth", result.information.frame(), labels={}, synthetic=False)
    assert worth.data.filter(pl.col("kind") == "measurement").height == len(MEASUREMENTS)


def test_a_bound_that_nothing_keeps_is_refused(ensemble):
    with pytest.raises(PlanRefused):
        search(Question(max_crs_rate=1e-6), ensemble, 3, patients=256,
               size=SearchSize(design=2, steps=1, around=0, permutations=5))  # fmt: skip
