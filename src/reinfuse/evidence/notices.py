"""What a journal says later of an article: retractions, expressions of concern, corrections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

NoticeKind = Literal["retraction", "expression of concern", "correction", "republication", "comment"]
NOTICE_KINDS: tuple[NoticeKind, ...] = (
    "retraction", "expression of concern", "correction", "republication", "comment",
)  # fmt: skip
"""Gravest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice to a registered study.

    Attributes
    ----------
    study
        Name of the study in the register.
    kind
        A ``retraction`` takes a study's figures out of every synthesis; after an ``expression of concern``, a
        ``correction`` or a ``republication`` each figure must be read again.
    reference
        Where it was published.
    doi, pmid
        Of the notice itself; empty where they are not given.
    raised_on
        Day on which it was read from an export.
    """

    study: str
    kind: NoticeKind
    reference: str
    doi: str = ""
    pmid: str = ""
    raised_on: date

    @property
    def is_alarm(self) -> bool:
        """Whether whoever uses a figure of the study must be told."""
        return self.kind != "comment"
