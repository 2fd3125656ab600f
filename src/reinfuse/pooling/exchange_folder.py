"""The folder in which requests and answers are gathered: read, and every fault of it named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reinfuse.exceptions import PoolRefused, Problem
from reinfuse.pooling.exchange import ANSWER, REQUEST, Answer, Request
from reinfuse.pooling.masked_exchange import MaskedAnswer
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.pooling.sealing import NoExchange, unsealed
from reinfuse.version import __version__

_ASK = "ask the centre to send it again"


@dataclass(frozen=True)
class Exchanges:
    """All exchanges of a study so far, each answered by every centre.

    Attributes
    ----------
    answers
        For each request: centre -> answer, in the order of the study's centres.
    """

    study: PooledStudy
    requests: tuple[Request, ...] = field(repr=False)
    answers: tuple[dict[str, Answer], ...] = field(repr=False)


def read_folder(folder: Path) -> Exchanges:
    """Read a folder.

    Raises
    ------
    PoolRefused
        With every file that is lacking, there twice, altered, of another study or version, or answers another request.
    """
    problems: list[Problem] = []
    files = _files(folder, problems)
    requests = _requests(files, problems)
    if problems:
        raise PoolRefused(problems)
    study = requests[0].study
    answers = _answers(files, requests, problems=problems)
    if problems:
        raise PoolRefused(problems)
    ordered = tuple(
        {centre: answers[number, centre] for centre in study.centres} for number in range(1, len(requests) + 1)
    )
    return Exchanges(study, tuple(requests), ordered)


def _files(folder: Path, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """Return the contents of each file of the folder; hidden files and those of other kinds are not looked at."""
    if not folder.is_dir():
        raise PoolRefused([Problem(value=str(folder), rule="is no folder", remedy="name the folder of the answers")])
    contents: dict[str, dict[str, Any]] = {}
    for path in sorted(p for p in folder.glob("*.json") if not p.name.startswith(".")):
        try:
            contents[path.name] = unsealed(path)
        except NoExchange as why:
            problems.append(Problem(table=path.name, rule=str(why), remedy=f"{_ASK}, or take it out of the folder"))
            continue
        version = contents[path.name].get("reinfuse")
        if version != __version__:
            rule = f"was written by reinfuse {version}, and this is {__version__}"
            problems.append(Problem(table=path.name, rule=rule, remedy="use the same version in all centres"))
    return contents


def _requests(files: dict[str, dict[str, Any]], problems: list[Problem]) -> list[Request]:
    """Return the requests in their order, each built on the one before."""
    requests: dict[int, tuple[str, Request]] = {}
    for name, contents in files.items():
        if contents.get("file") == ANSWER:
            continue
        try:
            request = Request.of(contents)
        except NoExchange as why:
            problems.append(Problem(table=name, rule=str(why), remedy="take it out of the folder"))
            continue
        if request.number in requests:
            rule = f"is request {request.number} a second time, beside {requests[request.number][0]}"
            problems.append(Problem(table=name, rule=rule, remedy="take the copy out of the folder"))
            continue
        requests[request.number] = (name, request)
    if not requests and not problems:
        remedy = "put request-1.json of `reinfuse pool plan` into the folder, and the answers to it"
        problems.append(Problem(table="request-1.json", rule="there is no request in the folder", remedy=remedy))
    ordered: list[Request] = []
    for number in range(1, max(requests, default=0) + 1):
        if number not in requests:
            problems.append(
                Problem(table=f"request-{number}.json", rule="is lost", remedy="put it back into the folder")
            )
            continue
        name, request = requests[number]
        if ordered and (request.study.digest != ordered[0].study.digest or request.before != ordered[-1].digest):
            rule = f"is not built on request {number - 1} in this folder: it is of another study"
            problems.append(Problem(table=name, rule=rule, remedy="keep the files of one study in one folder"))
        ordered.append(request)
    return ordered


def _answers(
    files: dict[str, dict[str, Any]], requests: Sequence[Request], *, problems: list[Problem]
) -> dict[tuple[int, str], Answer]:
    """Return the answers by number and centre."""
    study = requests[0].study
    answers: dict[tuple[int, str], Answer] = {}
    places: dict[tuple[int, str], str] = {}
    for name, contents in files.items():
        if contents.get("file") == REQUEST:
            continue
        if contents.get("study_sha256") != study.digest:
            rule = "answers a request of another study (SHA-256 of the plan)"
            problems.append(Problem(table=name, rule=rule, remedy="keep the files of one study in one folder"))
            continue
        try:
            answer = (MaskedAnswer if study.mode == "masked" else Answer).of(contents, study)
        except NoExchange as fault:
            problems.append(Problem(table=name, rule=str(fault), remedy=_ASK))
            continue
        key = (answer.number, answer.centre)
        if why := _not_of_these(answer, study, requests=requests):
            problems.append(Problem(table=name, rule=why, remedy="ask for an answer to the request in this folder"))
        elif key in answers:
            same = answers[key].digest == answer.digest
            rule = f"is the answer of {places[key]} a second time" if same else \
                f"is another answer of {answer.centre} to request {answer.number}, beside {places[key]}"  # fmt: skip
            remedy = "take one of them out" if same else "ask the centre which one counts, and take the other out"
            problems.append(Problem(table=name, rule=rule, remedy=remedy))
        else:
            answers[key], places[key] = answer, name
    problems += _lacking(answers, places, requests)
    return answers


def _lacking(
    answers: Mapping[tuple[int, str], Answer], places: Mapping[tuple[int, str], str], requests: Sequence[Request]
) -> Iterator[Problem]:
    """Yield a problem for each answer that is lacking, or lacks sums."""
    for (number, centre), answer in answers.items():
        first, request = answers.get((1, centre), answer), requests[number - 1]
        if set(answer.sums) != set(request.points) & set(first.sums):
            rule = "has not the sums of the models that the request asks for and that this centre tells of"
            yield Problem(table=places[number, centre], rule=rule, remedy=_ASK)
    for request in requests:
        for centre in (c for c in request.study.centres if (request.number, c) not in answers):
            rule = f"the answer of {centre} to request {request.number} is lacking"
            remedy = "wait for it; without it begin a new study of the other centres"
            yield Problem(table=f"request {request.number}", rule=rule, remedy=remedy)


def _not_of_these(answer: Answer, study: PooledStudy, *, requests: Sequence[Request]) -> str | None:
    """Return why an answer is none to a request of the folder, or None."""
    if answer.centre not in study.centres:
        return f"is of {answer.centre}, which is no centre of the study"
    if not 1 <= answer.number <= len(requests):
        return f"answers request {answer.number}, which is not in the folder"
    request = requests[answer.number - 1]
    if answer.request != request.digest:
        return f"answers another request {answer.number} than that in the folder"
    if answer.number < len(requests) and requests[answer.number].answers.get(answer.centre) != answer.digest:
        return f"is not the answer on which request {answer.number + 1} was built"
    shapes = {key: len(points) for key, points in request.points.items()}
    if any(len(s.value) != shapes.get(key) for key, s in answer.sums.items()):
        return "has sums at other points than the request asks for"
    return None
