"""A virtual trial from start to end, and its results."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from reinfuse.results.estimate import Estimate
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.posterior_checks import agreement, bundled_targets
from reinfuse.simulation.population.ensemble import Ensemble, bundled
from reinfuse.simulation.trial.failure_mechanisms import reasons
from reinfuse.simulation.trial.protocol import Protocols, mix_text
from reinfuse.simulation.trial.records import courses, curves, records
from reinfuse.simulation.trial.toxicity_records import toxicity_records
from reinfuse.simulation.trial.trial import Runner, Trial, in_threads, run, unread
from reinfuse.simulation.twins.patient_data import PatientData
from reinfuse.simulation.twins.virtual_twins import simulate_twins
from reinfuse.version import __version__

REASONED = 1000
"""Virtual patients in whom mechanisms of failure are analysed."""
SEED = 20210121
"""Default random seed: the day of the reference study's issue."""
CARD = (
    "A model, calibrated to group results; not validated for individual patients, and no advice on treatment.",
    "Intended use: in silico comparison of protocols of repeat CD19 CAR-T infusions, with the uncertainty of the "
    "results.",
    "Not for: choice of a treatment; other targets or products; toxicity of a patient: severe CRS is a surrogate, "
    "severe neurotoxicity, infections and neutropenia go by published rates of courses and dose.",
    "ALL, CLL and NHL differ in tumour, resistance and immunity before CART1; calibrated mostly to lymphoma; second "
    "infusions in CLL were held out.",
    "No anti-CAR measurement informs the immunity of the model: it rests on the direction of the two published "
    "associations.",
    "Response to CART2 is simulated more often than published, above all after no response to CART1: nothing of a "
    "patient's own T cells lasts from one product to the next.",
    "No treatment between infusions, no death other than by tumour, no dropout; one intensity for each regimen.",
    "Definitions of response, progression and CRS are the model's own.",
)  # fmt: skip
"""Intended use, limitations and assumptions of the model."""


OWN_ENSEMBLE = (
    "The ensemble is not the bundled one: `reinfuse virtual validate --ensemble FILE` shows which published results it "
    "meets."
)


def card(ensemble: Ensemble | None = None) -> tuple[str, ...]:
    """Return the model card: `CARD`, and how many published results the bundled ensemble meets, by both counts; of an
    ensemble of one's own, where that is shown."""
    return (*CARD, agreement(bundled_targets()) if is_bundled(ensemble) else OWN_ENSEMBLE)


def is_bundled(ensemble: Ensemble | None) -> bool:
    """Return whether an ensemble is the bundled one, or some of its members, as none is."""
    whole = bundled().frame()
    return ensemble is None or not ensemble.frame().join(whole, on=whole.columns, how="anti").height


@dataclass(frozen=True)
class VirtualFindings:
    """Results of a virtual trial.

    Attributes
    ----------
    estimates
        The records.
    curves, courses
        PFS and persistence by week; CAR-T cells by day (`records.curves`, `records.courses`).
    patients
        Virtual patients who met every arm.
    warnings
        Warnings to the reader, as ``{"about": ..., "text": ...}``.
    """

    protocols: Protocols
    estimates: tuple[Estimate, ...] = field(repr=False)
    curves: pl.DataFrame = field(repr=False)
    courses: pl.DataFrame = field(repr=False)
    patients: int
    provenance: Mapping[str, Any] = field(repr=False)
    warnings: tuple[dict[str, str], ...] = field(default=(), repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the contents of `findings.json`."""
        return {"provenance": dict(self.provenance), "flow": [], "estimates": [e.as_dict() for e in self.estimates],
                "warnings": list(self.warnings)}  # fmt: skip


def trial(protocols: Protocols, ensemble: Ensemble, patients: int, *, seed: int = SEED, runner: Runner | None = None,
          progress: Progress | None = None) -> VirtualFindings:  # fmt: skip
    """Return the results of a virtual trial.

    Parameters
    ----------
    patients
        Virtual patients, each of whom meets every arm; they are assigned to the ensemble's members in turn.
    runner
        Where blocks are simulated; all cores of this machine by default.
    """
    simulated = Trial(protocols, ensemble, seed)
    tally = run(simulated, patients, runner or in_threads(), progress=progress)
    estimates = (
        *records(protocols, tally),
        *toxicity_records(protocols, tally),
        *reasons(simulated, min(patients, REASONED), progress=progress),
    )
    warnings = tuple(_warnings(protocols, estimates))
    return VirtualFindings(protocols, estimates, curves(protocols, tally), courses(protocols, tally), patients,
                           _provenance(protocols, ensemble, patients, seed=seed), warnings)  # fmt: skip


def with_twins(findings: VirtualFindings, ensemble: Ensemble, patients: Sequence[PatientData], *, seed: int = SEED,
               progress: Progress | None = None) -> VirtualFindings:  # fmt: skip
    """Return the findings with those of the twins of a centre's patients.

    Raises
    ------
    CohortRefused
        If the arms have not two infusions.
    """
    twins = simulate_twins(patients, findings.protocols, ensemble, seed=seed, progress=progress)
    caveat = ({"about": "twins of the cohort", "text": twins.description},)
    return replace(findings, estimates=(*findings.estimates, *twins.records()), warnings=(*findings.warnings, *caveat))


def _provenance(protocols: Protocols, ensemble: Ensemble, patients: int, *, seed: int) -> dict[str, Any]:
    declared = protocols.model_dump(mode="json")
    return {
        "title": protocols.title, "reinfuse": __version__, "date": datetime.date.today().isoformat(),
        "patients": patients, "diseases": mix_text(protocols.diseases), "members": len(ensemble), "seed": seed,
        "protocols": declared,
        "ensemble_sha256": hashlib.sha256(ensemble.frame().write_csv().encode()).hexdigest(),
        "card": list(card(ensemble)),
    }  # fmt: skip


FEW = 200


def _warnings(protocols: Protocols, estimates: tuple[Estimate, ...]) -> Iterator[dict[str, str]]:
    few = [e.group for e in estimates if e.endpoint == "given" and (e.events or 0) < FEW]
    text = f"Fewer than {FEW} virtual patients were given the last infusion in: {', '.join(map(str, few))}."
    if few:
        yield {"about": "few virtual patients", "text": text}
    for name, reason in unread(protocols.follow_days).items():
        yield {"about": "follow-up", "text": f"{name}: {reason}."}
