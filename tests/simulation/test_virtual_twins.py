"""Twins of a centre's patients: weights by hand, free factors, and no answer for single patients."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.special import log_ndtr, ndtr

from reinfuse import Plan, Study, read_cohort
from reinfuse.cohort.typed_table import CLASS_SUFFIX
from reinfuse.data import datasets
from reinfuse.exceptions import CohortRefused, PlanRefused
from reinfuse.kinetics.profiles import Profile
from reinfuse.simulation.population.ensemble import Ensemble
from reinfuse.simulation.population.parameter_space import UNKNOWNS
from reinfuse.simulation.solver import readouts
from reinfuse.simulation.solver.readouts import BURDEN, DAY28, DEAD, POSITIVE, READ, WINDOW
from reinfuse.simulation.trial.protocol import Arm, FactorialDesign, Infusion, Protocols
from reinfuse.simulation.twins.conditioned_twins import condition
from reinfuse.simulation.twins.likelihood import OTHER_RESPONSE, RESIDUAL, fits, of_counts
from reinfuse.simulation.twins.patient_data import COMPLETE, NONE, PARTIAL, PatientData, of_cohort, of_frame
from reinfuse.simulation.twins.twin_design import TwinDesign
from reinfuse.simulation.twins.virtual_twins import OBSERVED, PREDICTED, simulate_twins

PROTOCOLS = Protocols(
    grid=FactorialDesign(
        regimens=(("Cy", "Cy-Flu"), ("Cy-Flu", "Cy"), ("Cy-Flu", "Cy-Flu")), cart2_dose_cells_per_kg=(2e6,)
    )
)
ENSEMBLE = Ensemble(0.3 * np.random.default_rng(1).standard_normal((6, len(UNKNOWNS))), np.full(6, -4.0))
NOBODY = PatientData(None, None, None, None, None, None, None)


def profile(unit, value, below):
    days = np.arange(7.0, 7.0 + 7 * len(value), 7)
    return Profile("P", 1, "total", unit, days, np.array(value), np.array(below))


def read_outs(before, day28, positive=5.0):
    """Return read-outs of twins, all alive, with tumour before CART1 and on day 28 of it, and antigen before CART2."""
    out = np.zeros((len(day28), 2, len(READ)))
    out[:, :, WINDOW], out[:, :, readouts.PARTIAL] = 100.0, 0.5
    out[:, 0, BURDEN], out[:, 0, DAY28] = before, day28
    out[:, 1, POSITIVE] = out[:, 1, BURDEN] = positive
    return out


def test_counts_weigh_two_twins_by_hand():
    fit = profile("cells/uL", [10.0, 0.1], [False, True])
    twins = np.array([[10.0, 0.1], [20.0, 0.01]])
    expected = [np.log(0.5), -0.5 * (np.log(2) / RESIDUAL) ** 2 + log_ndtr(np.log(10) / RESIDUAL)]
    np.testing.assert_allclose(of_counts(fit, twins), expected)


def test_the_factor_of_copies_is_free():
    twins = np.random.default_rng(2).lognormal(0, 1, (5, 3))
    one = of_counts(profile("copies/ug", [900.0, 50.0, 20.0], [False, False, True]), twins)
    other = of_counts(profile("copies/ug", [9000.0, 500.0, 200.0], [False, False, True]), twins)
    np.testing.assert_allclose(one, other)
    assert np.ptp(one) > 0.1
    assert np.all(of_counts(profile("copies/ug", [5.0, 5.0], [True, True]), twins[:, :2]) == 0)


def test_the_factor_is_integrated_out_as_by_quadrature():
    value, below = [900.0, 50.0, 20.0, 20.0], [False, False, True, True]
    twins = np.array([[9.0, 0.5, 0.1, 0.02], [3.0, 2.0, 1.0, 0.5]])

    def joint(factor, twin):
        off = (np.log(value) - np.log(twin) - factor) / RESIDUAL
        return math.exp(-0.5 * (off[0] ** 2 + off[1] ** 2)) * ndtr(off[2]) * ndtr(off[3])

    by_hand = [math.log(quad(joint, -5, 12, args=(twin,), epsabs=0, epsrel=1e-10, limit=200)[0]) for twin in twins]
    fit = of_counts(profile("copies/ug", value, below), twins)
    assert fit[0] - fit[1] == pytest.approx(by_hand[0] - by_hand[1], abs=1e-6)


def test_a_twin_without_counts_on_a_day_is_out_of_the_question():
    fit = of_counts(profile("cells/uL", [1.0, 1.0], [False, False]), np.array([[1.0, 1.0], [1.0, np.nan]]))
    assert fit.tolist() == [0, -np.inf]


def test_a_day_without_counts_of_any_twin_or_a_limit_that_is_not_known_says_nothing():
    fit = profile("cells/uL", [1.0, 7.0, np.nan], [False, False, True])
    assert of_counts(fit, np.array([[1.0, np.nan, 3.0]])).tolist() == [0]


def test_nothing_known_weighs_all_who_needed_another_alike():
    out = read_outs(9.0, np.full(3, 9.0))
    out[2, 1, POSITIVE] = 0.0  # needs none
    fit = fits(NOBODY, out, np.empty((3, 0)), cut=math.nan)
    assert fit.tolist() == [0, 0, -np.inf]


def test_a_planned_infusion_says_nothing_of_the_first():
    out = read_outs(9.0, np.array([9.0, 0.5, 9.0]))  # no response, a complete one, dead
    out[2, 0, DEAD] = 1.0
    planned = dataclasses.replace(NOBODY, planned=True)
    assert fits(planned, out, np.empty((3, 0)), cut=math.nan).tolist() == [0, 0, -np.inf]
    assert fits(NOBODY, out, np.empty((3, 0)), cut=math.nan).tolist() == [0, -np.inf, -np.inf]


def test_the_response_to_cart1_weighs():
    out = read_outs(9.0, np.array([9.0, 4.0, 0.5]))
    for before, same in ((NONE, 0), (PARTIAL, 1), (COMPLETE, 2)):
        patient = dataclasses.replace(NOBODY, planned=True, before=before)
        expected = np.full(3, np.log(OTHER_RESPONSE))
        expected[same] = 0
        np.testing.assert_allclose(fits(patient, out, np.empty((3, 0)), cut=math.nan), expected)


def design_of(twins, share=None, members=2):
    arm = PROTOCOLS.all_arms[0]
    return TwinDesign((arm.infusions[1],), arm, 365.0, ENSEMBLE, 4, members, twins, share)


def test_bulky_disease_weighs_so_that_as_many_have_it_as_in_the_cohort():
    design, arm, share = design_of(8, 0.3), PROTOCOLS.all_arms[0], 0.3
    some = design.some(0)
    out, _ = some.before(arm, np.empty(0))
    possible = np.isfinite(fits(NOBODY, out, np.empty((len(some.p), 0)), cut=math.nan))
    large = out[:, 1, BURDEN] >= design.cut[some.which]
    for m in range(2):
        assert large[possible & (some.which == m)].mean() == pytest.approx(share, abs=0.02)
    for bulky in (True, False):
        twins = condition(design, dataclasses.replace(NOBODY, bulky=bulky), 0).sample
        burden = twins.before(arm, np.empty(0))[0][:, 1, BURDEN]
        assert np.mean(burden >= design.cut[twins.which]) == pytest.approx(float(bulky), abs=0.1)


def test_twins_are_drawn_from_the_posterior_by_rejection():
    """A patient of one exact count: twins have the distribution of virtual patients accepted by its likelihood."""
    patient = dataclasses.replace(NOBODY, planned=True, counts=profile("cells/uL", [3.0], [False]))
    design, arm = design_of(96, members=1), PROTOCOLS.all_arms[0]
    pool = design.joined([design.some(5, turn) for turn in range(40)])
    out, counts = pool.before(arm, np.array([7.0]))
    weight = np.exp(fits(patient, out, counts[:, 0], cut=math.nan))
    drawn = np.concatenate([condition(design, patient, i).sample.before(arm, np.array([7.0]))[1][:, 0, 0]
                            for i in range(3)])  # fmt: skip
    log_counts = np.log(np.maximum(np.nan_to_num(counts[:, 0, 0]), 1e-9))  # the dead have no weight
    mean = np.average(log_counts, weights=weight)
    sd = np.sqrt(np.average((log_counts - mean) ** 2, weights=weight))
    assert np.log(drawn).mean() == pytest.approx(mean, abs=4 * sd / len(drawn) ** 0.5)
    assert np.log(drawn).std() == pytest.approx(sd, rel=0.25)


def test_twins_have_the_patients_own_disease():
    from reinfuse.simulation.model.parameters import DISEASES
    from reinfuse.simulation.population.virtual_patients import diseases

    for place, disease in enumerate(DISEASES):
        twins = condition(design_of(8), dataclasses.replace(NOBODY, disease=disease), 0).sample
        assert set(diseases(twins.member, twins.drawn).tolist()) == {place}


def test_a_member_in_which_nobody_could_have_had_it_has_no_twins():
    ensemble = dataclasses.replace(ENSEMBLE, z=ENSEMBLE.z.copy())
    ensemble.z[0, UNKNOWNS.index("kk")] = 12.0  # kills all tumour
    design = dataclasses.replace(design_of(8), ensemble=Ensemble(ensemble.z[:2], ensemble.intercept[:2]))
    twins = condition(design, NOBODY, 0).sample
    assert set(twins.which.tolist()) == {1}


@pytest.fixture(scope="module")
def study():
    data = datasets()["synthetic_gauthier_2021"]
    plan = data.plan or Plan.built_in()
    return Study(read_cohort(data.path, plan.columns, used=plan.used_columns), plan)


@pytest.fixture(scope="module")
def patients(study):
    return of_cohort(study.cohort, study.data, plan=study.plan, counts=study.counts)


def test_what_is_known_comes_from_the_cohort(study, patients):
    frame = study.data.frame
    assert len(patients) == frame.height
    assert sum(p.counts is not None for p in patients) > 30
    assert {p.regimen for p in patients} <= {"Cy", "Cy-Flu", "Flu", "None", None}
    assert sum(p.bulky is True for p in patients) == (frame["bulky"] == "yes").sum()
    assert [p.disease for p in patients] == frame["diagnosis"].to_list()
    assert {p.before for p in patients} == {NONE, PARTIAL, COMPLETE}


def test_who_did_not_respond_is_no_missing_response(study, patients):
    event = study.data.endpoint("response").event
    known_best = (~study.data.frame["response"].is_in(["NE"]).fill_null(True)).to_numpy()
    assert [p.response for p in patients] == [bool(e) if k else None for e, k in zip(event, known_best, strict=True)]
    assert sum(p.response is False for p in patients) > 20


def frame(n=5, **columns):
    return pl.DataFrame({"patient_id": [f"Q{i}" for i in range(n)], **{k: [v] * n for k, v in columns.items()}})


def test_what_the_model_has_not_is_not_known():
    cart1 = {"cart1_lymphodepletion" + CLASS_SUFFIX: "Other", "cart1_dose_cells_per_kg": 5e9, "interval_days": 20.0}
    cart2 = {"cart2_lymphodepletion" + CLASS_SUFFIX: "Cy", "cart2_dose_cells_per_kg": 0.0, "reason": "planned"}
    patients = of_frame(frame(**cart1, **cart2), [])
    assert (patients[0].regimen, patients[0].dose, patients[0].second, patients[0].response) == (None, None, None, None)
    assert patients[0].assumed
    assert patients[0].planned
    assert "5000000000" not in repr(patients[0])
    arm = PROTOCOLS.all_arms[0]
    twin_arm = TwinDesign((arm.infusions[1],), arm, 365.0, ENSEMBLE, 4, 1, 8, None).arm(patients[0], arm.infusions[1])
    assert twin_arm.infusions[0] == arm.infusions[0]
    assert twin_arm.infusions[1].after_days == 35


def test_cells_are_preferred_to_copies():
    two = [profile("copies/ug", [1.0], [False]), profile("cells/uL", [1.0], [False])]
    for order in (two, two[::-1]):
        profiles = [dataclasses.replace(p, patient_id="Q0") for p in order]
        assert of_frame(frame(), profiles)[0].counts.unit == "cells/uL"


def test_a_cohorts_twins_from_start_to_end(patients):
    twins = simulate_twins(patients[:8], PROTOCOLS, ENSEMBLE, seed=3, members=3, twins=48)
    estimates = list(twins.records())
    assert twins.names == ("Cy-Flu; 2e6/kg", "Cy; 2e6/kg")
    assert all(e.population == "centre's cohort" and (e.n == 8 or "own" in e.group)
               for e in estimates if e.analysis == "virtual")  # fmt: skip
    assert not any("SYN" in str(e.as_dict()) for e in estimates)
    assert twins.levels.shape == (3, 2, 11)
    assert np.isfinite(twins.levels).all()
    assert np.all(twins.gains[:, 0] == 0)
    own = {e.group: e for e in estimates if "own" in e.group and e.analysis == "virtual"}
    both = [p.response for p in patients[:8] if p.second is not None and p.response is not None]
    assert (own[OBSERVED].n, own[OBSERVED].events) == (len(both), sum(both))
    assert twins.expected.shape == twins.responded.shape == (len(both),)
    assert twins.expected.mean() == pytest.approx(np.nanmean(twins.own), abs=0.02)
    assert own[PREDICTED].n == len(both)
    assert "Twins of 8 patients" in twins.description
    again = simulate_twins(patients[:8], PROTOCOLS, ENSEMBLE, seed=3, members=3, twins=48)
    assert np.array_equal(twins.levels, again.levels)


def test_intervals_of_twins_keep_their_bounds(patients):
    """Two members, of which one keeps no cells: an interval by t would reach below 0 days."""
    twins = simulate_twins(patients[:5], PROTOCOLS, ENSEMBLE, seed=3, members=3, twins=16)
    estimates = dataclasses.replace(twins, levels=twins.levels * np.array([0.0, 1.0, 0.3])[:, None, None]).records()
    for e in estimates:
        if e.lower is None or e.term or e.unit == "log10 cells/uL":
            continue
        assert 0 <= e.lower <= e.estimate <= e.upper <= (365 if e.unit == "days" else 1)


def test_twins_are_not_told_what_the_follow_up_is_too_short_for(patients):
    short = PROTOCOLS.model_copy(update={"follow_days": 56.0})
    estimates = list(simulate_twins(patients[:5], short, ENSEMBLE, seed=3, members=2, twins=16).records())
    late = [e for e in estimates if e.endpoint == "seen_day90"]
    assert late
    assert all(e.estimate is None and "day 90" in e.note for e in late)


def test_a_factor_of_ten_in_copies_changes_no_prediction(patients):
    assert all(p.counts is None or p.counts.unit == "copies/ug" for p in patients)

    def times_ten(p):
        if p.counts is None:
            return p
        return dataclasses.replace(p, counts=dataclasses.replace(p.counts, value=10 * p.counts.value))

    one, other = (simulate_twins(some, PROTOCOLS, ENSEMBLE, seed=3, members=2, twins=32).levels
                  for some in (patients[:6], [times_ten(p) for p in patients[:6]]))  # fmt: skip
    np.testing.assert_allclose(one, other)


def test_observed_responses_of_a_few_are_not_told(patients):
    few = [dataclasses.replace(p, second=None) if i > 3 else p for i, p in enumerate(patients[:8])]
    twins = simulate_twins(few, PROTOCOLS, ENSEMBLE, seed=3, members=2, twins=32)
    assert not any("own" in e.group for e in twins.records())


def test_a_small_ensemble_and_parts_of_a_dose(patients):
    first = Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6)
    whole = Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6, after_days=100)
    parts = whole.model_copy(update={"shares": (0.4, 0.6)})
    two = Protocols(arms=(Arm(name="a", infusions=(first, whole)), Arm(name="b", infusions=(first, parts))))
    twins = simulate_twins(patients[:5], two, Ensemble(ENSEMBLE.z[:2], ENSEMBLE.intercept[:2]), seed=3, twins=16)
    assert twins.names == ("Cy; 2e6/kg", "Cy; 2e6/kg in parts of 40, 60 %")
    assert len(twins.levels) == 2


def test_twins_are_never_of_a_few_patients(study, patients):
    with pytest.raises(CohortRefused):
        of_frame(study.data.frame.head(4), [])
    with pytest.raises(CohortRefused):
        simulate_twins(patients[:4], PROTOCOLS, ENSEMBLE, seed=1, members=2, twins=16)


def test_other_than_two_infusions_is_refused(patients):
    three = Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6, after_days=100)
    arm = Arm(name="a", infusions=(Infusion(lymphodepletion="Cy", dose_cells_per_kg=2e6), three, three))
    with pytest.raises(CohortRefused):
        simulate_twins(patients, Protocols(arms=(arm,)), ENSEMBLE, seed=1)


def test_a_plan_of_another_infusion_is_refused():
    with pytest.raises(PlanRefused):
        of_cohort(None, None, plan=SimpleNamespace(index_infusion=3), counts=None)
