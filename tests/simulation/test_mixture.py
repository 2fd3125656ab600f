"""Patients of several kinds: diseases, resistance to killing, products that fail, antigen that is lost or not."""

import numpy as np
import pytest

from reinfuse.exceptions import PlanRefused
from reinfuse.simulation.calibration.reference_study import run_protocol
from reinfuse.simulation.model.parameters import DISEASES, INDEX, MIXTURE, MIXTURE_INDEX
from reinfuse.simulation.population.virtual_patients import PRIOR, diseases, draws, fitness, parameters
from reinfuse.simulation.solver.integrate import RTOL
from reinfuse.simulation.trial.outcomes import outcomes
from reinfuse.simulation.trial.protocol import Arm, Infusion, Protocols

DRAWN = draws(3, 0, 4096)
WITHOUT = {m.name: 0.0 for m in MIXTURE if m.name.startswith("resistant in ")}


def only(disease, **changed):
    return PRIOR.of_diseases({disease: 2.0}).without({**WITHOUT, **changed})


def test_diseases_are_mixed_as_in_the_reference_study_or_as_asked():
    shares = np.bincount(diseases(PRIOR, DRAWN), minlength=3) / 4096
    np.testing.assert_allclose(shares, np.array([14, 9, 21]) / 44, atol=0.03)
    half = np.bincount(diseases(PRIOR.of_diseases({"ALL": 3, "NHL": 3}), DRAWN), minlength=3) / 4096
    np.testing.assert_allclose(half, [0.5, 0, 0.5], atol=0.03)
    assert np.all(diseases(only("CLL"), DRAWN) == DISEASES.index("CLL"))
    assert np.array_equal(diseases(PRIOR.of_diseases(None), DRAWN), diseases(PRIOR, DRAWN))


def test_each_patient_has_the_disease_of_its_member():
    both = type(PRIOR)(*(np.stack([a, b]) for a, b in zip(vars(only("ALL")).values(), vars(only("NHL")).values(),
                                                          strict=True)))  # fmt: skip
    which = np.arange(4096) % 2
    assert np.array_equal(diseases(both[which], DRAWN), np.where(which == 0, 0, 2))


def test_a_disease_has_its_own_growth():
    g = INDEX["g"]
    nhl, cll = (parameters(only(d), DRAWN)[:, g] for d in ("NHL", "CLL"))
    grew = nhl < 0.5  # the bound
    ratio = PRIOR.mixture[MIXTURE_INDEX["g of CLL"]]
    np.testing.assert_allclose(cll[grew] / nhl[grew], ratio)
    assert nhl.max() <= 0.5


def test_the_resistant_are_killed_more_slowly_at_every_infusion_and_are_the_share_asked():
    kk, name = INDEX["kk"], "resistant in NHL"
    none, some = (parameters(only("NHL", **{name: share}), DRAWN)[:, kk] for share in (0.0, 0.25))
    ratio = some / none
    assert np.mean(ratio < 1) == pytest.approx(0.25, abs=0.02)
    np.testing.assert_allclose(ratio[ratio < 1], PRIOR.mixture[MIXTURE_INDEX["killing if resistant"]])
    others = [parameters(only("ALL", **{name: share}), DRAWN)[:, kk] for share in (0.0, 1.0)]
    assert np.array_equal(*others)


def test_a_share_of_products_fails_each_for_itself():
    all_well, some = (fitness(only("NHL", **{"products that fail": share}), DRAWN, 2) for share in (0.0, 0.1))
    failed = some < all_well * 0.9
    np.testing.assert_allclose(some[failed] / all_well[failed], 0.3)
    np.testing.assert_allclose(failed.mean(axis=0), 0.1, atol=0.015)
    assert np.mean(failed.all(axis=1)) == pytest.approx(0.01, abs=0.006)


def test_antigen_negative_tumour_is_whole_cells_or_none():
    p = parameters(only("NHL"), DRAWN)
    cells = 1e9 * p[:, INDEX["T0"]] * p[:, INDEX["fN"]]
    assert np.all((cells == 0) | (cells >= DRAWN.least[:, 4] * 1e9))
    assert 0.02 < np.mean(cells > 0) < 0.98
    many = parameters(only("NHL", fN=1e-3, mu=1e-3), DRAWN)
    assert np.all(many[:, INDEX["fN"]] == 1e-3)
    assert np.all(many[:, INDEX["mu"]] == 1e-3)


def test_in_all_only_a_complete_response_counts():
    arm = Arm(name="one", infusions=(Infusion(lymphodepletion="Cy-Flu", dose_cells_per_kg=2e6),))
    drawn = DRAWN[np.arange(300)]
    outcome = {}
    for disease in ("ALL", "NHL"):
        member = only(disease)
        out, _ = run_protocol(member, parameters(member, drawn), drawn, schedule=arm.schedule, day=np.zeros((300, 1)),
                              follow=60.0, rtol=RTOL, counted=np.empty(0))  # fmt: skip
        outcome[disease] = outcomes(out[:, 0])
    assert np.array_equal(outcome["ALL"].response, outcome["ALL"].cr)
    assert outcome["NHL"].response.sum() > outcome["NHL"].cr.sum()


def test_a_protocol_names_the_diseases(tmp_path):
    grid = "[grid]\nregimens=[['Cy','Cy']]\ncart2_dose_cells_per_kg=[2e6]\n[diseases]\n"
    path = tmp_path / "p.toml"
    path.write_text(grid + "CLL = 9\nNHL = 21")
    assert Protocols.load(path).diseases == {"CLL": 9, "NHL": 21}
    for wrong in ("CML = 1", "ALL = 0", "ALL = -1", "ALL = 'all'"):
        path.write_text(grid + wrong)
        with pytest.raises(PlanRefused):
            Protocols.load(path)
