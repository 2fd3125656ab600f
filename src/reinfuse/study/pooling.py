"""One analysis of several centres by files: plan, answer, combine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reinfuse.cohort.raw_tables import CohortInput
from reinfuse.disclosure.release_log import folder as release_folder
from reinfuse.disclosure.study_keys import KeyFile
from reinfuse.exceptions import CohortRefused, Problem
from reinfuse.output import Destination
from reinfuse.pooling.answering import AnswerDraft, centre_named, draft_answer, read_request
from reinfuse.pooling.combining import PooledResults, combine, first_request
from reinfuse.pooling.exchange import Request, answer_name, request_name
from reinfuse.pooling.exchange_folder import Exchanges, read_folder
from reinfuse.pooling.not_pooled import said_of_plan
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.pooling.table_combining import combine_tables
from reinfuse.runtime.extras import require
from reinfuse.runtime.parallel import small_matrices
from reinfuse.study.cohort_reading import examine
from reinfuse.study.study import Study

if TYPE_CHECKING:
    from reinfuse.pooling.masked_answering import MaskedDraft

FIRST = request_name(1)
__all__ = [
    "Combined",
    "PlannedPool",
    "PreparedAnswer",
    "begin_pool",
    "combine_answers",
    "end_study",
    "plan_pool",
    "prepare_answer",
    "prepare_pool",
    "write_prepared",
]


@dataclass(frozen=True)
class Combined:
    """What came of the answers: the next request, or the report.

    Attributes
    ----------
    request
        The file of the next request; None at the end of the study.
    report
        The folder of the report.
    exchanges
        Requests that were answered.
    open
        Models that are not fitted yet.
    """

    request: Path | None
    report: Path | None
    exchanges: int
    open: int


@dataclass(frozen=True)
class PreparedAnswer:
    """An answer that is not written yet, and what the check of the cohort warns of."""

    draft: AnswerDraft | MaskedDraft
    warnings: tuple[Problem, ...]


@dataclass(frozen=True)
class PlannedPool:
    """A study that is not begun yet.

    Attributes
    ----------
    words
        What its mode means, and what of its plan is no part of it.
    """

    study: PooledStudy
    words: tuple[str, ...]


def prepare_pool(study: Path, place: Destination) -> PlannedPool:
    """Read a study; nothing is written.

    Raises
    ------
    PlanRefused
        With everything that is wrong with the study's file.
    OutputRefused
        If its first request could not be written.
    """
    place.check_files([FIRST])
    planned = PooledStudy.load(study)
    return PlannedPool(planned, (planned.mode_in_words(), *said_of_plan(planned)))


def begin_pool(planned: PlannedPool, place: Destination) -> Path:
    """Write the first request of a study.

    Raises
    ------
    OutputRefused
        If the file cannot be written.
    """
    return _write_request(first_request(planned.study), place)


def plan_pool(study: Path, place: Destination) -> Path:
    """Read a study and write its first request.

    Raises
    ------
    PlanRefused
        With everything that is wrong with the study's file.
    OutputRefused
        If the file cannot be written.
    """
    return begin_pool(prepare_pool(study, place), place)


def prepare_answer(
    request: Path,
    cohort: CohortInput,
    *,
    centre: str | None = None,
    again: bool = False,
    place: Destination | None = None,
) -> PreparedAnswer:
    """Check a cohort and work out the answer to a request; nothing is written.

    Parameters
    ----------
    centre
        Which centre of the study this is; default: the one that answered before.
    again
        Answer although the log of releases speaks against it.
    place
        Where the answer is to be written; refused before anything is computed.

    Raises
    ------
    PoolRefused
        If the request cannot be followed, or the guards or the log speak against an answer.
    CohortRefused, PlanRefused
        If the cohort cannot be analysed, or not as the study asks.
    """
    wanted = read_request(request)
    if wanted.study.mode == "masked":
        require("pool")
    name = centre_named(wanted, centre)
    if place is not None:
        place.check_files([answer_name(name, wanted.number)])
    accepted, problems = examine(cohort, wanted.study.plan)
    if accepted is None:
        raise CohortRefused(problems)
    data = Study(accepted, wanted.study.plan).data
    with small_matrices():
        if wanted.study.mode == "masked":
            from reinfuse.pooling.masked_answering import draft_masked

            return PreparedAnswer(draft_masked(wanted, name, data, again=again), problems)
        return PreparedAnswer(draft_answer(wanted, name, data, again=again), problems)


def write_prepared(prepared: PreparedAnswer, place: Destination) -> Path:
    """Note in the centre's log that an answer leaves, and write it.

    Raises
    ------
    OutputRefused
        If the log or the file cannot be written.
    """
    answer = prepared.draft.answer
    return place.write_files({answer.name: answer.to_file()}, before=prepared.draft.note)[0]


def combine_answers(
    folder: Path, place: Destination, *, confirmed: tuple[str, ...] = (), force: bool = False
) -> Combined:
    """Combine the answers of a folder: write the next request into it, or the report to a place.

    Parameters
    ----------
    confirmed
        Centres whose times are right though they differ much from those of the others.
    force
        Move a request that is in the way aside.

    Raises
    ------
    PoolRefused
        With everything that is wrong with the files.
    OutputRefused
        If request or report cannot be written.
    """
    place.check()
    with small_matrices():
        exchanges = read_folder(folder)
        combined = _combined(exchanges, confirmed)
    steps = len(exchanges.requests)
    if isinstance(combined, Request):
        path = _write_request(combined, Destination(folder, "pool", (), force))
        return Combined(path, None, steps, len(combined.points))
    from reinfuse.report.export.pooled_folder import write_pooled

    write_pooled(combined, place)
    return Combined(None, place.path, steps, 0)


def _combined(exchanges: Exchanges, confirmed: tuple[str, ...]) -> Request | PooledResults:
    if exchanges.study.mode != "masked":
        return (combine_tables if exchanges.study.mode == "tables" else combine)(exchanges, confirmed)
    require("pool")
    from reinfuse.pooling.masked_combining import combine_masked

    return combine_masked(exchanges, confirmed)


def end_study(request: Path, centre: str | None = None) -> bool:
    """End a centre's private key of a masked study and tell whether there was one.

    Raises
    ------
    PoolRefused
        If the request cannot be read, or no centre is named.
    OutputRefused
        If the key cannot be read or written.
    """
    wanted = read_request(request)
    name = centre_named(wanted, centre)
    return KeyFile(release_folder(), wanted.study.digest, name).end()


def _write_request(request: Request, place: Destination) -> Path:
    return place.write_files({request.name: request.to_file()})[0]
