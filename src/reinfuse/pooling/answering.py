"""A centre's answer to a request: worked out, said in words, and held back where the guards or the log ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.disclosure.answer_log import AnswerEntry, AnswerLog
from reinfuse.disclosure.release_log import Release, Releases
from reinfuse.exceptions import PoolRefused, Problem, nearest
from reinfuse.messages import counted
from reinfuse.pooling.centre_data import FEWEST_PATIENTS, CentreData, explained
from reinfuse.pooling.centre_tables import sums_of, tables_of
from reinfuse.pooling.exchange import Answer, Request
from reinfuse.pooling.guards import changed_cohort, rules_against
from reinfuse.pooling.integer_tables import integer_tables
from reinfuse.pooling.sealing import NoExchange, unsealed
from reinfuse.pooling.table_choice import TableChoice
from reinfuse.pooling.table_words import factors_in_words, flow_in_words, further_in_words, tables_in_words
from reinfuse.statistics.likelihood_sums import numbers_at_a_point
from reinfuse.version import __version__

_AGAIN = "--again only if a data protection officer has agreed to it"


@dataclass(frozen=True)
class AnswerDraft:
    """An answer that nobody has seen yet.

    Attributes
    ----------
    words
        What would leave the centre, in words and numbers.
    """

    answer: Answer
    words: tuple[str, ...]
    _release: Release = field(repr=False)
    _entry: AnswerEntry = field(repr=False)

    def note(self) -> None:
        """Note that it leaves the centre."""
        log = Releases()
        log.note(self._release)
        AnswerLog(log.path).note(self._entry)


def read_request(path: Path) -> Request:
    """Read a request.

    Raises
    ------
    PoolRefused
        If it is none, was altered, or is of another version.
    """
    try:
        contents = unsealed(path)
        if "reinfuse" in contents and contents["reinfuse"] != __version__:
            raise NoExchange(f"is of reinfuse {contents['reinfuse']}, and this is {__version__}")
        return Request.of(contents)
    except NoExchange as why:
        remedy = "ask the coordinating centre to send it again; all centres need the same version"
        raise PoolRefused([Problem(table=path.name, rule=str(why), remedy=remedy)]) from None


def centre_named(request: Request, name: str | None) -> str:
    """Return which centre of the study answers: the one that is named, or else the one that answered before.

    Raises
    ------
    PoolRefused
        If it is none of the study.
    """
    name = name or AnswerLog(Releases().path).centre_of(request.study.digest)
    centres = request.study.centres
    if name in centres:
        return str(name)
    near = nearest(name or "", centres)
    rule = "is no centre of this study" if name else "no centre is named"
    remedy = f"name yours with --centre: {', '.join(centres)}" + (f"; did you mean {near}?" if near else "")
    raise PoolRefused([Problem(column="centre", value=name, rule=rule, remedy=remedy)])


def draft_answer(request: Request, centre: str, data: AnalysisSet, *, again: bool = False) -> AnswerDraft:
    """Work out what a centre would answer.

    Parameters
    ----------
    again
        Answer although the log of releases speaks against it.

    Raises
    ------
    CohortRefused
        If factors or endpoints are lacking, or coded otherwise here.
    PoolRefused
        If the guards leave nothing to tell, the exchange is over, or the log speaks against it.
    """
    study = request.study
    patients = CentreData.of(study, data)
    choice = TableChoice(patients) if study.mode == "tables" else None
    withheld = patients.withheld() if choice is None else choice.withheld
    _refuse_what_must_not_leave(request, patients, withheld=withheld)
    models = [m for m in study.models if m.key in request.points and m.key not in withheld]
    first = request.number == 1
    answer = Answer(study.digest, centre, request.number, request.digest, request.answers.get(centre, ""),
                    {} if not first else tables_of(patients, withheld) if choice is None else
                    integer_tables(patients, choice),
                    {m.key: sums_of(patients, m, points=request.points[m.key]) for m in models},
                    withheld if first else {})  # fmt: skip
    log = Releases()
    release = log.release(patients.standard_rows(), FEWEST_PATIENTS, plan=f"pooled {study.digest}")
    values = log.fingerprint(patients.used_values())
    entry = AnswerEntry(study.digest, centre, request.number, request.digest, answer.digest, values)
    answers = AnswerLog(log.path)
    if rule := changed_cohort(answers, entry):
        raise PoolRefused([Problem(table="cohort", rule=rule, remedy="answer with the cohort as it was")])
    if not again:
        against = [f"{rule}: who has both can subtract" for rule in log.conflicts(release, FEWEST_PATIENTS)]
        against += answers.conflicts(entry, answer.before)
        if against:
            raise PoolRefused([Problem(table="log of releases", rule=rule, remedy=_AGAIN) for rule in against])
    return AnswerDraft(answer, tuple(_in_words(request, patients, answer=answer)), release, entry)


def _refuse_what_must_not_leave(request: Request, patients: CentreData, *, withheld: dict[str, str]) -> None:
    rules = list(rules_against(request, patients))
    if not rules and all(name in withheld for name in request.study.endpoints):
        rule = f"nothing may be told: {'; '.join(explained(request.study, withheld))}"
        rules = [(rule, "take no part in this study, or wait for more patients")]
    if rules:
        raise PoolRefused([Problem(table="guards", rule=rule, remedy=remedy) for rule, remedy in rules])


def _in_words(request: Request, patients: CentreData, *, answer: Answer) -> Iterator[str]:
    """Yield what leaves the centre."""
    study, n = request.study, patients.data.frame.height
    if study.mode == "tables":
        yield from tables_in_words(study, answer)
        return
    yield f"Study: {study.title}, request {request.number} (at most {study.most_exchanges}); centre: {answer.centre}."
    yield f"Patients: {n}. No row, identifier or date of a patient leaves; the following numbers do."
    if answer.tables:
        yield flow_in_words(answer.tables["flow"])
        yield from _tables_in_words(answer)
    size = {m.key: study.size(m) for m in study.models}
    numbers = {key: len(s.value) * numbers_at_a_point(size[key]) for key, s in answer.sums.items()}
    if numbers:
        points = sum(len(s.value) for s in answer.sums.values())
        models = counted(len(numbers), "model")
        yield (f"Sums over patients (log-likelihood and its derivatives to the fourth) of {models} at "
               f"{counted(points, 'set')} of coefficients: {sum(numbers.values()):,} numbers.")  # fmt: skip
    else:
        yield "No sums: this centre has too few patients for the models that are still open."
    yield ("Whoever reads this file can work out from such sums how many patients have each combination of the factors "
           "with and without an event, and often the order of the events: treat it as a table of your patients "
           "without names.")  # fmt: skip
    if answer.withheld:
        yield f"Not told: {'; '.join(explained(study, dict(answer.withheld)))}."


def _tables_in_words(answer: Answer) -> Iterator[str]:
    yield from factors_in_words(answer.tables["factors"])
    for name, end in answer.tables["endpoints"].items():
        days = f", sum of the times {end['days']:,.0f} days" if "days" in end else ""
        yield f"{name}: {end['events']} of {end['n']} patients with the event{days}."
    for key, (a, b, c, d) in answer.tables["fourfold"].items():
        yield f"{key}: {a} of {a + b} with the factor and {c} of {c + d} without it have the event."
    if tests := answer.tables["log_rank"]:
        yield f"Observed and expected events of each level, with their covariance: {', '.join(tests)}."
    yield from further_in_words(answer.tables)
