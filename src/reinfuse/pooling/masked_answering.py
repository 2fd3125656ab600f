"""A centre's answer in masked mode: first a public key, then integers under masks, one answer to a request for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from reinfuse.cohort.analysis_set import AnalysisSet
from reinfuse.disclosure.answer_log import AnswerEntry, AnswerLog
from reinfuse.disclosure.release_log import Release, Releases
from reinfuse.disclosure.study_keys import KeyFile, StudyKey
from reinfuse.exceptions import PoolRefused, Problem
from reinfuse.pooling.centre_data import FEWEST_PATIENTS, CentreData, too_few
from reinfuse.pooling.centre_tables import sums_of
from reinfuse.pooling.exchange import Request
from reinfuse.pooling.fixed_point import TooLarge, as_text, encoded, with_check
from reinfuse.pooling.guards import changed_cohort, rules_against
from reinfuse.pooling.masked_answers import flat, size_of
from reinfuse.pooling.masked_exchange import MaskedAnswer
from reinfuse.pooling.masked_tables import asked_tables, numbers_of, tables_under_masks
from reinfuse.pooling.masks import check_weights, fingerprint, masked, new_key, own_numbers, public_key
from reinfuse.pooling.sealing import canonical

_CONSENT = "--again only if a data protection officer of each centre that is in one of the two studies has agreed to it"


@dataclass(frozen=True)
class MaskedDraft:
    """An answer that nobody has seen yet.

    Attributes
    ----------
    words
        What would leave the centre, in words and numbers.
    """

    answer: MaskedAnswer
    words: tuple[str, ...]
    _file: KeyFile = field(repr=False)
    _key: StudyKey = field(repr=False)
    _entry: AnswerEntry = field(repr=False)
    _release: Release | None = field(repr=False)

    def note(self) -> None:
        """Note that it leaves the centre.

        Raises
        ------
        PoolRefused
            If another answer was noted in the meantime.
        """
        log = Releases()
        answers = AnswerLog(log.path)
        _refuse(_other_answers(answers, self._entry))
        self._file.write(self._key)
        if self._release is not None:
            log.note(self._release)
        answers.note(self._entry)


def draft_masked(request: Request, centre: str, data: AnalysisSet, *, again: bool = False) -> MaskedDraft:
    """Work out what a centre would answer.

    Parameters
    ----------
    again
        Answer although the log of releases speaks against it; two answers under one mask are never made.

    Raises
    ------
    CohortRefused
        If factors or endpoints are lacking, or coded otherwise here.
    PoolRefused
        If the guards, the keys or the log speak against an answer.
    """
    study = request.study
    patients = CentreData.of(study, data)
    log = Releases()
    answers = AnswerLog(log.path)
    file = KeyFile(log.path, study.digest, centre)
    untold = withheld(patients)
    _refuse([*_guards(request, patients, untold), *_keys(request, centre, file)])
    key = file.key or StudyKey(study.digest, centre, new_key())
    answer = MaskedAnswer(study.digest, centre, request.number, request.digest, request.answers.get(centre, ""), {}, {},
                          untold if request.number == 1 else {}, key=public_key(key.private))  # fmt: skip
    if request.number > 1:
        key = replace(key, keys=_hash(request.keys))
        integers = _integers(request, patients, private=key.private)
        under = masked(integers, centre=centre, private=key.private, keys=request.keys, request=request.digest)
        answer = replace(answer, key="", masked=as_text(under))
    values = log.fingerprint(patients.used_values())
    entry = AnswerEntry(study.digest, centre, request.number, request.digest, answer.digest, values)
    release = None
    if request.number > 1:
        release = log.release(patients.standard_rows(), FEWEST_PATIENTS, plan=f"pooled {study.digest}")
    _refuse(_against(answers, entry, before=answer.before))
    if release is not None and not again:
        conflicts = [f"{rule}: who has both totals can subtract; where the two studies differ by one centre, the "
                     "difference is that centre alone" for rule in log.conflicts(release, FEWEST_PATIENTS)]  # fmt: skip
        _refuse([Problem(table="log of releases", rule=rule, remedy=_CONSENT) for rule in conflicts])
    return MaskedDraft(answer, tuple(_in_words(request, patients, answer=answer, file=file)), file, key, entry, release)


def withheld(patients: CentreData) -> dict[str, str]:
    """Return the endpoints and models of which this centre tells nothing; why is not told, as it would be a count."""
    study = patients.study
    ends = {name for name in study.endpoints if too_few((e := patients.endpoint(name)).event[e.known])}
    models = [m.key for m in study.models if m.endpoint not in ends
              and too_few(patients.endpoint(m.endpoint).event[patients.complete(m)])]  # fmt: skip
    return dict.fromkeys([*(name for name in study.endpoints if name in ends), *models], "guards")


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise PoolRefused(problems)


def _hash(keys: Mapping[str, str]) -> str:
    return hashlib.sha256(canonical(dict(keys))).hexdigest()


def _guards(request: Request, patients: CentreData, untold: Mapping[str, str]) -> list[Problem]:
    rules = list(rules_against(request, patients))
    ends = {m.key: m.endpoint for m in request.study.models}
    held_back = [key for key in request.points if key in untold or ends.get(key) in untold]
    if held_back:
        rule = f"asks for what this centre's guards hold back: {', '.join(held_back)}"
        rules.append((rule, "do not answer it: the coordinating centre has not followed the answers to request 1"))
    return [Problem(table="guards", rule=rule, remedy=remedy) for rule, remedy in rules]


def _keys(request: Request, centre: str, file: KeyFile) -> list[Problem]:
    """Return what is wrong with the keys of a request."""
    remedy = "do not answer it; ask the other centres by a way of your own, and begin a new study"
    own = file.key
    if own is not None and not own.private:
        rule = "the key of this study was ended here"
    elif request.number == 1:
        return []
    elif own is None:
        rule = "this centre has no key of this study here"
        remedy = f"answer where request 1 was answered (keys lie in {file.path.parent}), or begin a new study"
    elif set(request.keys) != set(request.study.centres) or len(set(request.keys.values())) != len(request.keys):
        rule = "does not hold one key of each centre"
    elif request.keys[centre] != public_key(own.private):
        rule = "holds another key of this centre than it sent"
    elif own.keys and own.keys != _hash(request.keys):
        rule = "holds other keys of the centres than the request before: a key was changed in between"
    else:
        return []
    return [Problem(table="keys", rule=rule, remedy=remedy)]


def _other_answers(answers: AnswerLog, entry: AnswerEntry) -> list[Problem]:
    """Return a problem where this request, or another of its number, was answered otherwise before."""
    own = [e for e in answers.entries if (e.study, e.centre, e.number) == (entry.study, entry.centre, entry.number)]
    if all((e.request, e.answer) == (entry.request, entry.answer) for e in own):
        return []
    same = any(e.request == entry.request for e in own)
    rule = "this request was answered otherwise before: two answers under one mask tell their difference" if same else \
        f"another request {entry.number} of this study was answered already"  # fmt: skip
    remedy = "send the answer that was written then" if same else "do not answer it, or begin a new study"
    return [Problem(table="log of releases", rule=rule, remedy=remedy)]


def _against(answers: AnswerLog, entry: AnswerEntry, *, before: str) -> list[Problem]:
    """Return what no consent overrules: another answer, changed patients, a request that does not follow."""
    if rule := changed_cohort(answers, entry):
        return [Problem(table="cohort", rule=rule, remedy="answer with the cohort as it was, or begin a new study")]
    if problems := _other_answers(answers, entry):
        return problems
    return [Problem(table="log of releases", rule=rule, remedy="do not answer it, or begin a new study")
            for rule in answers.conflicts(entry, before)]  # fmt: skip


def _integers(request: Request, patients: CentreData, *, private: str) -> list[int]:
    """Return what a request asks for as integers, random ones where a number is held back, with their check."""
    models = [m for m in request.study.models if m.key in request.points]
    tables = tables_under_masks(patients, request)
    numbers = [
        *numbers_of(tables, asked_tables(request)),
        *flat({m.key: sums_of(patients, m, points=request.points[m.key]) for m in models}),
    ]
    try:
        integers = encoded([0.0 if v is None else v for v in numbers], len(request.study.centres))
    except TooLarge as why:
        remedy = "ask the coordinating centre to give numbers their usual unit"
        raise PoolRefused([Problem(table="cohort", rule=f"a sum: {why}", remedy=remedy)]) from None
    random = own_numbers(private, request=request.digest, size=len(integers))
    integers = [r if v is None else i for i, v, r in zip(integers, numbers, random, strict=True)]
    return with_check(integers, check_weights(request.digest, len(integers)))


def _in_words(request: Request, patients: CentreData, *, answer: MaskedAnswer, file: KeyFile) -> Iterator[str]:
    """Yield what leaves the centre."""
    study = request.study
    yield f"Study: {study.title}, request {request.number} (at most {study.most_exchanges}); centre: {answer.centre}."
    if request.number == 1:
        yield "A public key leaves, and no number of a patient."
        yield f"The private key of this study: {file.path}, for you alone. At its end: reinfuse pool end."
        if answer.withheld:
            yield f"That this centre tells nothing of {', '.join(answer.withheld)} leaves too (guards)."
        return
    yield f"Patients analysed: {patients.data.frame.height}. {size_of(request):,} numbers leave under masks."
    yield f"Without the answers of all {len(study.centres)} centres they are random; with them, totals alone are read."
    if asked_tables(request):
        yield "Where few are at risk here, or no grades are recorded, a random number leaves: the total is hidden too."
    if any(request.study.kind_of(m.endpoint) == "time" and m.key in request.points for m in request.study.models):
        yield "Totals of hazard models hide little where few and very small centres take part (docs/pooling.md)."
    yield "All other centres together can work out this centre's numbers from the total, by subtracting their own."
    yield f"Fingerprint of the keys of all centres: {fingerprint(request.keys)}. Compare it with a centre you trust."
