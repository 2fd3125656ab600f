"""The search for protocols of the second infusion, from the question in a caller's words to a folder of results."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from reinfuse.exceptions import PlanRefused, Problem
from reinfuse.output import Destination
from reinfuse.report.export.search_folder import write_search
from reinfuse.report.text.search_limits import limit_sentences
from reinfuse.runtime import signals
from reinfuse.runtime.progress import Progress
from reinfuse.simulation.model.parameters import Disease
from reinfuse.simulation.search.design_space import CART1, WEIGHT, Question
from reinfuse.simulation.search.search import PATIENTS, SearchResult, search, search_key
from reinfuse.simulation.search.sobol import sensitivity
from reinfuse.simulation.trial.array_store import ArrayStore
from reinfuse.simulation.trial.protocol import DiseaseWeights, Infusion
from reinfuse.simulation.trial.trial_results import SEED
from reinfuse.study.virtual_ensembles import ensemble_of
from reinfuse.study.virtual_runner import Cluster, runner_on


class Cart1Choice(NamedTuple):
    """CART1 as a person enters it: lymphodepletion, dose (cells/kg), whether its lymphodepletion is searched too."""

    lymphodepletion: str = "Cy-Flu"
    dose: float = 2e6
    searched: bool = False


class ToxicityOptions(NamedTuple):
    """What a toxicity counts for, and the exposure to fludarabine of a course (AUC, mg h/L), if it is known."""

    weight: float = WEIGHT
    fludarabine_auc: float | None = None


FIRST, USUAL = Cart1Choice(), ToxicityOptions()
_WEIGHTS = TypeAdapter[Mapping[Disease, float]](DiseaseWeights)


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
        indices = sensitivity(seeded, ensemble, diseases=question.diseases, progress=progress) if sensitive else None
        write_search(result, indices, ensemble, place=place, seed=seeded)
    if store:
        shutil.rmtree(store.folder, ignore_errors=True)
    return result


def caveats(result: SearchResult) -> tuple[str, ...]:
    """Return what whoever names the best protocol says with it: that it lies at a limit, or is extrapolated."""
    return tuple(limit_sentences(result.region))


def question_of(objective: str, max_crs_rate: float, probability: float, *, margin: float,
                cart1: Cart1Choice = FIRST, limits: Sequence[str] = (), diseases: Sequence[str] = (),
                charged: ToxicityOptions = USUAL, extrapolate: bool = False) -> Question:  # fmt: skip
    """Return the optimisation problem, a `Question`, of what a person enters.

    Parameters
    ----------
    objective, max_crs_rate, probability, margin, charged, extrapolate
        As in `Question`.
    limits
        Limits of variables, each as ``NAME:LOW:HIGH``.
    diseases
        Diseases of the patients, each as ``NAME`` or ``NAME:WEIGHT``; none: the mix of the reference study.

    Raises
    ------
    PlanRefused
        With every problem.
    """
    ranges = {}
    weighed = list(_weights(diseases))
    problems = [one for one in weighed if isinstance(one, Problem)]
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
        first = Infusion.model_validate({"lymphodepletion": cart1.lymphodepletion, "dose_cells_per_kg": cart1.dose})
    except ValidationError as error:
        problems += [
            Problem(table="search", column=f"cart1 {e['loc'][-1]}", value=str(e["input"]), rule="cannot be",
                    remedy=e["msg"]) for e in error.errors()
        ]  # fmt: skip
        first = CART1
    weights = next((one for one in weighed if not isinstance(one, Problem)), None)
    try:
        question = Question(objective, max_crs_rate, probability, margin, first, cart1.searched, *charged, weights,
                            extrapolate, ranges)  # fmt: skip
    except PlanRefused as refused:
        raise PlanRefused([*problems, *refused.problems]) from None
    if problems:
        raise PlanRefused(problems)
    return question


def _weights(diseases: Sequence[str]) -> Iterator[Mapping[Disease, float] | Problem]:
    """Yield the weights of diseases that a person entered, if there are any, or everything that is wrong with them."""
    weights, wrong = dict[str, str](), list[Problem]()
    for text in diseases:
        name, _, weight = text.partition(":")
        if name in weights:
            wrong.append(_problem_of_disease(text, "names a disease twice", f"{name} once"))
        weights.setdefault(name, weight or "1")
    try:
        given = {name: float(weight) for name, weight in weights.items()}
        if given:
            yield _WEIGHTS.validate_python(given)
    except ValidationError as error:
        wrong += [_problem_of_disease(str(e["input"]), "cannot be", e["msg"].removeprefix("Value error, "))
                  for e in error.errors()]  # fmt: skip
    except ValueError:
        wrong.append(_problem_of_disease(", ".join(diseases), "cannot be read", "NAME or NAME:WEIGHT, such as NHL:21"))
    yield from wrong


def _problem_of_disease(value: str, rule: str, remedy: str) -> Problem:
    return Problem(table="search", column="disease", value=value, rule=rule, remedy=remedy)
