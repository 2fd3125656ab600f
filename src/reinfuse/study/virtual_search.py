"""The search for protocols of the second infusion, from the question in a caller's words to a folder of results."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.output import Destination
from reinfuse.report.export.search_folder import write_search
from reinfuse.runtime import signals
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.search.design_space import WEIGHT, Question
from reinfuse.simulation.search.search import PATIENTS, SearchResult, search, search_key
from reinfuse.simulation.search.sobol import sensitivity
from reinfuse.simulation.trial.array_store import ArrayStore
from reinfuse.simulation.trial.protocol import Infusion
from reinfuse.simulation.trial.trial_results import SEED
from reinfuse.study.virtual_ensembles import ensemble_of
from reinfuse.study.virtual_runner import Cluster, runner_on


class ToxicityOptions(NamedTuple):
    """What a toxicity counts for, and the exposure to fludarabine of a course (AUC, mg h/L), if it is known."""

    weight: float = WEIGHT
    fludarabine_auc: float | None = None


USUAL = ToxicityOptions()


def run_search(question: Question, *, place: Destination, patients: int | None = None, seed: int | None = None,
               sensitive: bool = True, cluster: Cluster | None = None, resume: bool = False,
               own_ensemble: Path | None = None, progress: Progress | None = None) -> SearchResult:  # fmt: skip
    """Search for protocols of the second infusion, and write the report.

    Parameters
    ----------
    question
        From `question_of`.
    place
        The folder to write; refused before anything is computed.
    sensitive
        Global sensitivity analysis too.
    resume
        Keep what is evaluated beside the folder, and go on from what is there.
    own_ensemble
        File of an ensemble, as `reinfuse virtual calibrate` writes it; None: the bundled one.

    Raises
    ------
    PlanRefused
        If nobody needs a second infusion, no protocol meets the toxicity constraint, or the cluster cannot be used.
    OutputRefused
        If the folder cannot be written.
    """
    place.check()
    ensemble = ensemble_of(own_ensemble).for_patients(patients or PATIENTS)
    seeded = SEED if seed is None else seed
    store = None
    if resume:
        folder = place.path.parent / f".{place.path.name}-evaluations"
        store = ArrayStore(folder, search_key(question, ensemble, seeded, patients))
        signals.note_remains(f"What was evaluated is kept in {folder}: the same command goes on from it.")
    with runner_on(cluster) as runner:
        result = search(question, ensemble, seeded, patients=patients, runner=runner, store=store, progress=progress)
        indices = sensitivity(seeded, ensemble, progress=progress) if sensitive else None
        write_search(result, indices, ensemble, place=place, seed=seeded)
    if store:
        shutil.rmtree(store.folder, ignore_errors=True)
    return result


def question_of(objective: str, max_crs_rate: float, probability: float, *, margin: float, cart1: str,
                cart1_dose: float, search_cart1: bool, limits: Sequence[str],
                charged: ToxicityOptions = USUAL) -> Question:  # fmt: skip
    """Return the optimisation problem, a `Question`, of what a person enters.

    Parameters
    ----------
    objective, max_crs_rate, probability, margin, search_cart1, charged
        As in `Question`.
    cart1, cart1_dose
        Lymphodepletion before the first infusion, and its dose (cells/kg).
    limits
        Limits of variables, each as ``NAME:LOW:HIGH``.

    Raises
    ------
    PlanRefused
        With every problem.
    """
    ranges, problems = {}, []
    for text in limits:
        try:
            name, low, high = text.split(":")
            ranges[name] = (float(low), float(high))
        except ValueError:
            problems.append(
                Problem(table="search", column="limit", value=text, rule="cannot be read",
                        remedy="NAME:LOW:HIGH, such as flu:0:1")
            )  # fmt: skip
    try:
        first = Infusion.model_validate({"lymphodepletion": cart1, "dose_cells_per_kg": cart1_dose})
    except ValidationError as error:
        problems += [
            Problem(table="search", column=f"cart1 {e['loc'][-1]}", value=str(e["input"]), rule="cannot be",
                    remedy=e["msg"]) for e in error.errors()
        ]  # fmt: skip
    if problems:
        raise PlanRefused(problems)
    return Question(objective, max_crs_rate, probability, margin, first, search_cart1, *charged, ranges)
