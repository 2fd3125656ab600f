"""What keeps a centre from answering a request in any mode; told before anything is written."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.cohort.analysis_set import ID
from reinfuse.disclosure.answer_log import AnswerEntry, AnswerLog
from reinfuse.disclosure.identifying import RECONSTRUCTED_ID
from reinfuse.pooling.centre_data import FEWEST_PATIENTS, CentreData
from reinfuse.pooling.exchange import Request


def rules_against(request: Request, patients: CentreData) -> Iterator[tuple[str, str]]:
    """Yield why a centre answers nothing, each with what to do."""
    if any(str(one).startswith(RECONSTRUCTED_ID) for one in patients.data.flow[ID]):
        yield "holds patients behind a published curve, none of this centre's own", "answer with real patients"
    if request.number > request.study.most_exchanges:
        yield f"asks for more than {request.study.most_exchanges} exchanges", "do not answer it"
    if patients.data.frame.height < FEWEST_PATIENTS:
        yield f"this centre has fewer than {FEWEST_PATIENTS} patients", "take no part in this study"


def changed_cohort(answers: AnswerLog, entry: AnswerEntry) -> str:
    """Return that a cohort is not the one with which an earlier request was answered; empty if it is."""
    earlier = answers.changed_since(entry)
    if not earlier:
        return ""
    return f"patients or values of the cohort were changed since request {earlier} was answered: sums would not fit"
