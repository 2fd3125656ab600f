"""Running the analyses: each inside a boundary, and a note for each that is not run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from reinfuse.analyses.descriptive_steps import Made, Step
from reinfuse.cohort.analysis_set import Analysed
from reinfuse.plan.analysis_plan import Plan
from reinfuse.results.curves import Curve, CurveKey
from reinfuse.results.estimate import Estimate
from reinfuse.runtime.boundary import Boundary, Failure
from reinfuse.runtime.progress import Progress

NOT_RUN = "not run"


@dataclass(frozen=True)
class Analysis:
    """One kind of step.

    Attributes
    ----------
    name
        How the names of its steps begin, before a comma.
    section
        The report's section where its results stand.
    needs
        What it needs; said where nothing of it was run though the plan asks for it.
    switches
        Settings under `[analyses]` of a plan that switch it off.
    last
        Needs the estimates of the steps before it.
    """

    name: str
    section: str
    needs: str = "nothing to estimate in these data"
    switches: tuple[str, ...] = ()
    last: bool = False


_MODEL = "it needs an endpoint and a factor that can be modelled, without late entry"
_MULTIVARIABLE = "it needs a multivariable model in the plan"
_COUNTS = "it needs CAR-T counts after the infusions"
ANALYSES = (
    Analysis("flow", "patients"),
    Analysis("baseline", "patients", "there is no factor and no baseline column"),
    Analysis("response", "response", "the data hold no binary endpoint"),
    Analysis("survival", "survival", "the data hold no time to event"),
    Analysis("cumulative incidence", "survival", "no endpoint has a competing event"),
    Analysis("best responses", "response", "the data hold no best response"),
    Analysis("toxicity", "toxicity", "the data hold no toxicity"),
    Analysis("associations", "associations", "it needs an endpoint and a factor that can be modelled"),
    Analysis("simulated intervals", "sure", _MODEL, ("calibrated",)),
    Analysis("permutation", "sure", _MODEL, ("permutation",)),
    Analysis("model averaging", "sure", _MODEL, ("averaging",)),
    Analysis("stability", "sure", _MODEL, ("bootstraps",)),
    Analysis("optimism", "sure", _MULTIVARIABLE, ("bootstraps",)),
    Analysis("influence", "sure", _MODEL, ("influence",)),
    Analysis("proportional hazards", "sure", "it needs a multivariable model of a time to event",
             ("proportional_hazards",)),
    Analysis("sensitivity", "sure", "no association was estimated", ("sensitivity",), last=True),
    Analysis("imputation", "sure", "no factor of the models is missing in a patient", ("imputations",)),
    Analysis("competing events", "survival", "it needs a competing event, and a factor", ("competing",)),
    Analysis("landmark", "later", "the plan names no landmark whose endpoint is in the data"),
    Analysis("time-dependent factor", "later", "the plan names none whose endpoint and days are in the data"),
    Analysis("protocols", "protocols", "it needs a binary factor of treatment and an endpoint without late entry",
             ("standardise", "bootstraps")),
    Analysis("within patients", "paired", "it needs dated tables with the infusion before, of the same patients",
             ("paired",)),
    Analysis("power", "power", _MODEL, ("power",)),
    Analysis("exposure", "kinetics", _COUNTS, ("kinetics",)),
    Analysis("persistence", "kinetics", _COUNTS, ("kinetics",)),
    Analysis("factors of exposure", "kinetics", _COUNTS, ("kinetics",)),
    Analysis("factors of persistence", "kinetics", _COUNTS, ("kinetics",)),
    Analysis("exposure and outcome", "kinetics", "it needs CAR-T counts, and response or progression-free survival",
             ("kinetics",)),
    Analysis("direct and indirect effects", "kinetics", "it needs CAR-T counts, response, and a binary factor in a "
             "multivariable model", ("kinetics", "bootstraps")),
)  # fmt: skip
_OF_NAME = {a.name: a for a in ANALYSES}
_OFF = (False, 0, "none")


@dataclass
class Results:
    """What the steps gave; `empty` names those that gave nothing."""

    estimates: list[Estimate] = field(default_factory=list)
    curves: dict[CurveKey, Curve] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """What one step gave, and what failed in it."""

    made: Made
    failures: tuple[Failure, ...]


def pieces(todo: Sequence[Step]) -> list[Callable[[], Piece]]:
    """Return the steps as pieces of work that know of no earlier one."""
    return [partial(_taken, step, []) for step in todo]


def _taken(step: Step, estimates: list[Estimate]) -> Piece:
    boundary, (name, work) = Boundary(), step
    nothing: Made = ([], {})
    made = boundary.attempt(_capital(name), analysis_of(name).section, lambda: work(estimates), otherwise=nothing)
    return Piece(made, tuple(boundary.failures))


Shared = Callable[[Sequence[int], Callable[[int], Piece]], dict[int, Piece]]
"""Given places of steps and what does one here, the results of all."""


def conduct(todo: Sequence[Step], boundary: Boundary, *, progress: Progress | None = None,
            others: Shared | None = None) -> Results:  # fmt: skip
    """Take the steps, in order but for those that need the results of others.

    Parameters
    ----------
    others
        Does the steps of the places that it is given, with somebody's help; it is given what does one here.
    """
    from threadpoolctl import threadpool_limits

    last = [i for i, (name, _) in enumerate(todo) if analysis_of(name).last]
    results = Results()

    def here(place: int) -> Piece:
        if progress:
            progress(todo[place][0], place, len(todo))
        return _taken(todo[place], [e for i in range(place) if i in taken for e in taken[i].made[0]])

    taken: dict[int, Piece] = {}
    with threadpool_limits(limits=1):  # the matrices are small: threads would wait for each other
        places = [i for i in range(len(todo)) if i not in last]
        taken |= others(places, here) if others else {i: here(i) for i in places}
        taken |= {i: here(i) for i in last}
    for place, (name, _) in enumerate(todo):
        piece = taken[place]
        boundary.failures += piece.failures
        results.estimates += piece.made[0]
        results.curves |= piece.made[1]
        if not piece.made[0] and not piece.failures:
            results.empty.append(name)
    if progress:
        progress("done", len(todo), len(todo))
    return results


def analysis_of(step: str) -> Analysis:
    """Return the analysis that a step belongs to."""
    name = step.partition(", ")[0]
    return _OF_NAME.get(name, Analysis(name, "warnings"))


def not_run(todo: Sequence[Step], results: Results, data: Analysed, *, plan: Plan) -> Iterator[dict[str, str]]:
    """Yield a warning for each analysis that is not run, with its reason."""
    names = [name for name, _ in todo]
    planned = {analysis_of(name).name for name in names}
    given = {analysis_of(name).name for name in names if name not in results.empty}
    for analysis in ANALYSES:
        off = [s for s in analysis.switches if getattr(plan.analyses, s) in _OFF]
        if off:
            switch = " and ".join(f"analyses.{s}" for s in off)
            yield _note(analysis.name, f"switched off by the plan ({switch})")
        elif analysis.name not in planned & given:
            yield _note(analysis.name, analysis.needs)
        else:
            gone = [n for n in dict.fromkeys(results.empty) if analysis_of(n) == analysis]
            yield from (_note(n, analysis.needs) for n in gone)
    for end in data.endpoints:
        if end.entry is not None:
            yield _note(f"{end.label}, all but its curve and its Firth models", "patients come under observation late")


def _note(what: str, why: str) -> dict[str, str]:
    return {"about": NOT_RUN, "text": f"{_capital(what)}: not run: {why}"}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
