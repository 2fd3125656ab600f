"""Virtual trials, and the reference study simulated without each mechanism, from protocols to a folder of results."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

from reinfuse.output import Destination
from reinfuse.report.export.trial_folder import write_virtual
from reinfuse.results.estimate import frame
from reinfuse.runtime import signals
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.calibration.ablation import ablation
from reinfuse.simulation.population.ensemble import bundled
from reinfuse.simulation.trial.checkpoint import resumable
from reinfuse.simulation.trial.protocol import Protocols
from reinfuse.simulation.trial.trial import Runner, Trial
from reinfuse.simulation.trial.trial_results import CARD, SEED, VirtualFindings, trial, with_twins
from reinfuse.simulation.twins.patient_data import PatientData, of_cohort
from reinfuse.study.plans import plan_of
from reinfuse.study.study import Study
from reinfuse.study.virtual_ensembles import ensemble_of
from reinfuse.study.virtual_runner import Cluster, runner_on
from reinfuse.tabular.csv_files import write_csv

_log = logging.getLogger("reinfuse")
DISCLAIMER = CARD[0]
"""What whoever shows a result of virtual patients says with it."""


def run_trial(protocols: Path | None, patients: int, *, place: Destination, seed: int | None = None,
              cohort: Path | None = None, cluster: Cluster | None = None, resume: bool = False,
              own_ensemble: Path | None = None,
              progress: Progress | None = None) -> VirtualFindings:  # fmt: skip
    """Run a virtual trial and write its report, findings and figures.

    Parameters
    ----------
    protocols
        File (TOML); None: the nine bundled protocols.
    patients
        Virtual patients, each in every arm.
    place
        The folder to write; refused before anything is computed.
    seed
        Default: that of the bundled results.
    cohort
        A centre's cohort, whose patients' virtual twins are simulated too.
    resume
        Keep checkpoints beside the folder, and go on from those that are there.
    own_ensemble
        File of an ensemble, as `reinfuse virtual calibrate` writes it; None: the bundled one.

    Raises
    ------
    CohortRefused, PlanRefused
        With every problem.
    OutputRefused
        If the folder cannot be written.
    """
    place.check()
    report = progress or (lambda *_: None)
    declared, seeded = _protocols(protocols), SEED if seed is None else seed
    ensemble = ensemble_of(own_ensemble).for_patients(patients)
    own_patients = None if cohort is None else _of_patients(cohort)
    with runner_on(cluster) as runner:
        if resume:
            runner = _with_checkpoints(runner, Trial(declared, ensemble, seeded), place.path)
        findings = trial(declared, ensemble, patients, seed=seeded, runner=runner, progress=report)
        if own_patients is not None:
            findings = with_twins(findings, ensemble, own_patients, seed=seeded, progress=report)
        report("report", 1, 1)
        write_virtual(findings, ensemble, place=place)
    if resume:
        shutil.rmtree(_checkpoints(place.path), ignore_errors=True)
    return findings


def run_ablation(*, members: int, patients: int, place: Destination, seed: int | None = None,
                 progress: Progress | None = None) -> None:  # fmt: skip
    """Simulate the reference study without each mechanism in turn, and write ablation.csv.

    Parameters
    ----------
    members
        Populations of the ensemble to simulate.
    patients
        Virtual patients in each.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    place.check()
    table = frame(
        ablation(bundled(), SEED if seed is None else seed, members=members, patients=patients, progress=progress)
    )
    place.write(lambda draft: write_csv(table, draft / "ablation.csv"))


def _protocols(path: Path | None) -> Protocols:
    if path is not None:
        return Protocols.load(path)
    with as_file(files("reinfuse.simulation").joinpath("protocols.toml")) as declared:
        return Protocols.load(declared)


def _of_patients(cohort: Path) -> Sequence[PatientData]:
    """Return the data of a cohort's patients from before their second infusion."""
    plan = plan_of(None)
    study = Study.read(cohort, plan)
    return of_cohort(study.cohort, study.data, plan=plan, counts=study.counts)


def _with_checkpoints(runner: Runner, declared: Trial, out: Path) -> Runner:
    folder = _checkpoints(out)
    signals.note_remains(f"Checkpoints are kept in {folder}: the same command resumes from them.")
    return resumable(runner, declared, folder, say=_log.warning)


def _checkpoints(out: Path) -> Path:
    return out.parent / f".{out.name}-blocks"
