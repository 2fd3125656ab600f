"""The file of an answer in masked mode."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from reinfuse.pooling.exchange import Answer
from reinfuse.pooling.fixed_point import of_text
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.pooling.sealing import NoExchange

_KEY_BYTES = 32


@dataclass(frozen=True)
class MaskedAnswer(Answer):
    """An answer of which nobody can read a number without those of all other centres.

    Attributes
    ----------
    key
        The centre's public key of this study: in the first answer alone.
    masked
        Integers under masks: in all others.
    """

    key: str = ""
    masked: str = field(default="", repr=False)

    @property
    def contents(self) -> dict[str, Any]:
        """The file's contents but the seal."""
        return {**super().contents, "key": self.key, "masked": self.masked}

    @classmethod
    def of(cls, contents: Mapping[str, Any], study: PooledStudy) -> Self:  # noqa: ARG003
        """Read the contents of a file; whether it answers a request of the study is not looked at.

        Raises
        ------
        NoExchange
            If they are no answer.
        """
        try:
            key, masked = str(contents["key"]), str(contents["masked"])
            first = contents["number"] == 1
            of_text(masked)
            if contents["tables"] or contents["sums"] or first != is_public_key(key) or first == bool(masked):
                raise ValueError("numbers without a mask, or no key")
            names = ("study_sha256", "centre", "number", "request_sha256", "answer_before", "reinfuse")
            study_digest, centre, number, request, before, version = (contents[name] for name in names)
            withheld = {str(k): str(v) for k, v in contents["withheld"].items()}
            return cls(str(study_digest), str(centre), int(number), str(request), str(before), {}, {}, withheld,
                       str(version), key, masked)  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError):
            raise NoExchange("is an answer with parts that cannot be read, or none of a masked study") from None


def is_public_key(text: str) -> bool:
    """Tell whether a text can be a public key."""
    try:
        return len(base64.b64decode(text, validate=True)) == _KEY_BYTES
    except ValueError:
        return False
