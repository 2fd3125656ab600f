"""Requests and answers: what stands in the files that travel between the centres."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from reinfuse.arrays import Floats
from reinfuse.pooling.integer_tables import INTEGER_TABLES, NamelessPatients
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.pooling.sealing import NoExchange, seal, sealed
from reinfuse.statistics.likelihood_sums import DEGREES, LikelihoodSums, entries
from reinfuse.version import __version__

REQUEST, ANSWER = "reinfuse pool request", "reinfuse pool answer"
TABLES = ("flow", "factors", "endpoints", "models", "fourfold", "log_rank", "toxicity", "curves")
"""What the first answer tells beside the sums in rounds mode (`centre_tables`)."""
MOST_POINTS = 5000


@dataclass(frozen=True)
class Request:
    """What the coordinating centre asks of all.

    Attributes
    ----------
    number
        1, 2, ...
    points
        Model's key -> coefficients at which its sums are wanted, shape (m, k).
    before, answers
        SHA-256 of the request before, and centre -> SHA-256 of its answer to that; empty in the first.
    keys
        Masked mode: public key of each centre; empty in the first.
    """

    study: PooledStudy
    number: int
    points: Mapping[str, Floats] = field(repr=False)
    before: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    version: str = __version__
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def contents(self) -> dict[str, Any]:
        """The file's contents but the seal."""
        keys = {"keys": dict(self.keys)} if self.keys else {}
        return {
            **keys, "file": REQUEST, "reinfuse": self.version, "number": self.number, "study_sha256": self.study.digest,
            "request_before": self.before, "answers_before": dict(self.answers),
            "points": {key: at.tolist() for key, at in self.points.items()}, "study": self.study.record,
        }  # fmt: skip

    @cached_property
    def digest(self) -> str:
        """SHA-256."""
        return seal(self.contents)

    @property
    def name(self) -> str:
        """The file's name."""
        return request_name(self.number)

    def to_file(self) -> bytes:
        """Return the file."""
        return sealed(self.contents)

    @classmethod
    def of(cls, contents: Mapping[str, Any]) -> Request:
        """Read the contents of a file.

        Raises
        ------
        NoExchange
            If they are no request.
        """
        study = PooledStudy.of_record(contents.get("study"))
        if contents.get("file") != REQUEST or study is None or contents.get("study_sha256") != study.digest:
            raise NoExchange(f"is no request that reinfuse {__version__} can follow")
        sizes = {model.key: study.size(model) for model in study.models}
        try:
            points = {key: _numbers(at, (None, sizes[key])) for key, at in contents["points"].items()}
            number, before = int(contents["number"]), str(contents["request_before"])
            answers = {str(c): str(h) for c, h in contents["answers_before"].items()}
            keys = {str(c): str(key) for c, key in contents.get("keys", {}).items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise NoExchange("is a request with parts that cannot be read") from None
        if not all(np.isfinite(at).all() and len(at) <= MOST_POINTS for at in points.values()):
            raise NoExchange("is a request for sums at too many points, or at points that are no numbers")
        return cls(study, number, points, before, answers, str(contents.get("reinfuse")), keys)


@dataclass(frozen=True)
class Answer:
    """What one centre answers.

    Attributes
    ----------
    request, before
        SHA-256 of the request, and of the centre's answer before; empty in the first.
    tables
        Counts and sums without coefficients: in the first answer alone.
    sums
        Model's key -> sums at the points of the request, of the models that the centre may answer.
    withheld
        Endpoint or model's key -> why the centre tells nothing of it.
    """

    study: str
    centre: str
    number: int
    request: str
    before: str
    tables: Mapping[str, Any] = field(repr=False)
    sums: Mapping[str, LikelihoodSums] = field(repr=False)
    withheld: Mapping[str, str] = field(default_factory=dict)
    version: str = __version__

    @property
    def contents(self) -> dict[str, Any]:
        """The file's contents but the seal."""
        return {
            "file": ANSWER, "reinfuse": self.version, "centre": self.centre, "number": self.number,
            "study_sha256": self.study, "request_sha256": self.request, "answer_before": self.before,
            "withheld": dict(self.withheld), "tables": dict(self.tables),
            "sums": {key: _packed(s) for key, s in self.sums.items()},
        }  # fmt: skip

    @cached_property
    def digest(self) -> str:
        """SHA-256."""
        return seal(self.contents)

    @property
    def name(self) -> str:
        """The file's name."""
        return answer_name(self.centre, self.number)

    def to_file(self) -> bytes:
        """Return the file."""
        return sealed(self.contents)

    @classmethod
    def of(cls, contents: Mapping[str, Any], study: PooledStudy) -> Answer:
        """Read the contents of a file; whether it answers a request of the study is not looked at.

        Raises
        ------
        NoExchange
            If they are no answer.
        """
        sizes = {model.key: study.size(model) for model in study.models}
        try:
            sums = {str(key): _unpacked(text, sizes[key]) for key, text in contents["sums"].items()}
            if contents["number"] == 1:
                _check_tables(study, contents["tables"])
            return cls(str(contents["study_sha256"]), str(contents["centre"]), int(contents["number"]),
                       str(contents["request_sha256"]), str(contents["answer_before"]), dict(contents["tables"]), sums,
                       {str(k): str(v) for k, v in contents["withheld"].items()},
                       str(contents["reinfuse"]))  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError):
            raise NoExchange("is an answer with parts that cannot be read, or of another study") from None


def _check_tables(study: PooledStudy, tables: Mapping[str, Any]) -> None:
    """Raise an error where tables are not those of the study's mode."""
    if set(tables) != set(INTEGER_TABLES if study.mode == "tables" else TABLES):
        raise ValueError("other tables")
    for model in study.models if study.mode == "tables" else ():
        if model.key in (*tables["patterns"], *tables["orders"]):
            patients = NamelessPatients.of(study, model, tables)
            if len(patients.event) > tables["endpoints"][model.endpoint]["n"]:
                raise ValueError("more patients than the endpoint has")


def request_name(number: int) -> str:
    """Return the name of a request's file."""
    return f"request-{number}.json"


def answer_name(centre: str, number: int) -> str:
    """Return the name of an answer's file."""
    return f"answer-{centre.replace(' ', '_')}-{number}.json"


def _numbers(values: Any, shape: tuple[int | None, ...]) -> Floats:
    """Return numbers as an array of a shape; null, which stands for no finite number, is NaN."""
    numbers = np.array(values, dtype=np.float64)
    if numbers.size == 0:
        numbers = numbers.reshape([0 if n is None else n for n in shape])
    if numbers.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, numbers.shape, strict=True)):
        raise ValueError("another shape")
    return numbers


def _packed(sums: LikelihoodSums) -> str:
    """Return sums as text: 64-bit numbers, low bytes first, in base64; one point after the other, NaN if not finite."""
    numbers = np.column_stack([sums.value, *sums.cumulants])
    return base64.b64encode(np.where(np.isfinite(numbers), numbers, np.nan).astype("<f8").tobytes()).decode("ascii")


def _unpacked(text: str, k: int) -> LikelihoodSums:
    """Return the sums of a model of k coefficients."""
    sizes = [1, *(len(entries(k, degree)) for degree in DEGREES)]
    numbers = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8").reshape(-1, sum(sizes))
    value, *cumulants = np.split(numbers.astype(np.float64), np.cumsum(sizes)[:-1], axis=1)
    return LikelihoodSums(value[:, 0], tuple(cumulants))
