"""The design of the next study: from a request to its answer, and to the page of a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reinfuse.arrays import Floats
from reinfuse.evidence import read_register
from reinfuse.evidence.curves.digitised import read_points
from reinfuse.evidence.design.dose_finding import DoseRequest, plan_dose
from reinfuse.evidence.design.precision import PrecisionRequest, plan_precision
from reinfuse.evidence.design.published_prior import PublishedPrior, published_prior
from reinfuse.evidence.design.response_rate import SingleArmRequest, TwoStageRequest, plan_single_arm, plan_two_stage
from reinfuse.evidence.design.time_to_event import LogRankRequest, plan_log_rank
from reinfuse.exceptions import Problem, SourceRefused
from reinfuse.output import Destination
from reinfuse.report.designs.dose import dose_page
from reinfuse.report.designs.log_rank import log_rank_page
from reinfuse.report.designs.page import ProtocolPage
from reinfuse.report.designs.precision import precision_page
from reinfuse.report.designs.single_arm import single_arm_page
from reinfuse.report.designs.two_stage import two_stage_page
from reinfuse.report.document.model import Table
from reinfuse.report.export.design_folder import write_design

__all__ = [
    "DesignAnswer",
    "DoseRequest",
    "LogRankRequest",
    "PrecisionRequest",
    "PublishedPrior",
    "SingleArmRequest",
    "TwoStageRequest",
    "design_study",
    "prior_of_register",
    "reference_curve",
    "write_answer",
]  # fmt: skip

AnyRequest = TwoStageRequest | SingleArmRequest | DoseRequest | LogRankRequest | PrecisionRequest


@dataclass(frozen=True)
class DesignAnswer:
    """A design in words.

    Attributes
    ----------
    sentences
        The answer.
    tables
        Decisions first, then operating characteristics.
    page
        What `write_answer` writes.
    """

    sentences: tuple[str, ...]
    tables: tuple[Table, ...]
    page: ProtocolPage


def reference_curve(path: Path, *, name: str | None = None) -> tuple[Floats, Floats]:
    """Return times and heights of one curve in a CSV file; `name`: which, where it holds several.

    Raises
    ------
    SourceRefused
        With everything that is wrong with it.
    """
    problems: list[Problem] = []
    every = read_points(path, problems)
    arms = [arm for arm in every if name is None or arm.name == name]
    if every and len(arms) != 1:
        rule = "holds several curves" if name is None else "holds no curve of this name"
        remedy = f"choose with --arm; there are: {'; '.join(arm.name for arm in every)}"
        problems.append(Problem(table=path.name, column="--arm", value=name, rule=rule, remedy=remedy))
    if problems:
        raise SourceRefused(problems)
    return arms[0].time, arms[0].survival


def prior_of_register(endpoint: str, *, disease: str | None = None, folders: Sequence[Path] = ()) -> PublishedPrior:
    """Return the prior of a response rate from the register's comparable studies.

    Raises
    ------
    RegisterRefused, RequestRefused
        If a folder of studies is wrong, or no study is comparable.
    """
    return published_prior(read_register(*folders), endpoint, disease=disease, today=date.today())


def design_study(request: AnyRequest) -> DesignAnswer:
    """Answer a request.

    Raises
    ------
    RequestRefused
        With everything that is wrong with it.
    """
    page = _page(request)
    return DesignAnswer(page.answer, (*page.decisions, *page.characteristics), page)


def _page(request: AnyRequest) -> ProtocolPage:
    match request:
        case TwoStageRequest():
            return two_stage_page(plan_two_stage(request))
        case SingleArmRequest():
            return single_arm_page(plan_single_arm(request))
        case DoseRequest():
            return dose_page(plan_dose(request))
        case LogRankRequest():
            return log_rank_page(plan_log_rank(request))
        case PrecisionRequest():
            return precision_page(plan_precision(request))


def write_answer(answer: DesignAnswer, place: Destination) -> Path:
    """Write the page of a protocol (HTML, Word, PDF) with its tables as CSV.

    Raises
    ------
    OutputRefused
        If the folder cannot be written.
    """
    return write_design(answer.page, place)
