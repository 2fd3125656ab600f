"""Running the analyses: each inside a boundary, and a note for each that is not run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from reinfuse.analyses.base import Inputs, Output, Step
from reinfuse.analyses.registry import analyses, analysis_of
from reinfuse.results.curves import Curve, CurveKey
from reinfuse.results.estimate import Estimate
from reinfuse.runtime.boundary import Boundary, Failure
from reinfuse.runtime.parallel import small_matrices
from reinfuse.runtime.progress import Progress

NOT_RUN = "not run"


@dataclass
class StepResults:
    """What the steps gave; `empty` names those that gave nothing."""

    estimates: list[Estimate] = field(default_factory=list)
    curves: dict[CurveKey, Curve] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """What one step gave, and what failed in it."""

    estimates: list[Estimate]
    curves: dict[CurveKey, Curve]
    failures: tuple[Failure, ...]


def pieces(todo: Sequence[Step]) -> list[Callable[[], Piece]]:
    """Return the steps as pieces of work that know of no earlier one."""
    return [partial(_taken, step, []) for step in todo]


def _taken(step: Step, estimates: list[Estimate]) -> Piece:
    boundary, section = Boundary(), analysis_of(step.name).section
    nothing: Output = ([], {})
    records, curves = boundary.attempt(_capital(step.name), section, lambda: step.work(estimates), otherwise=nothing)
    return Piece(records, curves, tuple(boundary.failures))


Shared = Callable[[Sequence[int], Callable[[int], Piece]], dict[int, Piece]]
"""Given places of steps and what does one here, the results of all."""


def run_steps(todo: Sequence[Step], boundary: Boundary, *, progress: Progress | None = None,
              others: Shared | None = None, only: Collection[str] = (),
              first: Callable[[StepResults], None] | None = None) -> StepResults:  # fmt: skip
    """Take the steps, in order but for those that need the results of others.

    Parameters
    ----------
    only
        Names of analyses whose results are wanted; empty: all. What one of them needs of others is estimated, and left
        out afterwards.
    first
        Given the results of the analyses that are told first, as soon as they are there.
    others
        Does the steps of the places that it is given, with somebody's help; it is given what does one here.
    """
    wanted = [i for i, step in enumerate(todo) if not only or analysis_of(step.name).name in only]
    last = [i for i in wanted if analysis_of(todo[i].name).last]

    places = [i for i in (range(len(todo)) if last else wanted) if i not in last]
    early = [i for i in places if analysis_of(todo[i].name).first] if first else []
    later = [i for i in places if i not in early]
    done = {place: i for i, place in enumerate((*early, *later, *last))}  # the order in which they are taken

    def here(place: int) -> Piece:
        if progress:
            progress(todo[place].name, done[place], len(done))
        return _taken(todo[place], [e for i in range(place) if i in taken for e in taken[i].estimates])

    taken: dict[int, Piece] = {}
    with small_matrices():
        for some in (early, later):
            taken |= others(some, here) if others and some else {i: here(i) for i in some}
            if first and some and some is early:
                first(_collected(todo, {i: taken[i] for i in early if i in wanted}))
        taken |= {i: here(i) for i in last}
    boundary.failures += [failure for i in sorted(taken) for failure in taken[i].failures]
    if progress:
        progress("done", len(done), len(done))
    return _collected(todo, {i: piece for i, piece in taken.items() if i in wanted})


def _collected(todo: Sequence[Step], taken: Mapping[int, Piece]) -> StepResults:
    """Return what steps gave, in their order."""
    results = StepResults()
    for place in sorted(taken):
        piece = taken[place]
        results.estimates += piece.estimates
        results.curves |= piece.curves
        if not piece.estimates and not piece.failures:
            results.empty.append(todo[place].name)
    return results


def not_run(todo: Sequence[Step], results: StepResults, *, inputs: Inputs,
            only: Collection[str] = ()) -> Iterator[dict[str, str]]:  # fmt: skip
    """Yield a warning for each analysis that is not run, with its reason; for those that nobody asked for, one."""
    names = [step.name for step in todo]
    planned = {analysis_of(name).name for name in names}
    given = {analysis_of(name).name for name in names if name not in results.empty}
    if only:
        yield _note("all other analyses", f"asked for were {', '.join(only)} alone")
    for analysis in (a for a in analyses() if a.wanted_by(inputs.plan) and not a.sampled):
        if only and analysis.name not in only:
            continue
        off = analysis.off(inputs.plan)
        if off:
            switch = " and ".join(f"analyses.{s}" for s in off)
            yield _note(analysis.name, f"switched off by the plan ({switch})")
        elif analysis.name not in planned & given:
            yield _note(analysis.name, analysis.lacking)
        else:
            gone = [n for n in dict.fromkeys(results.empty) if analysis_of(n) == analysis]
            yield from (_note(n, analysis.lacking) for n in gone)
    for end in inputs.data.endpoints:
        if end.entry is not None:
            yield _note(f"{end.label}, except Kaplan-Meier and Firth models", "delayed entry")


def _note(what: str, why: str) -> dict[str, str]:
    return {"about": NOT_RUN, "text": f"{_capital(what)}: not run: {why}"}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
