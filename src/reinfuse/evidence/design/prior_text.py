"""A prior of a response rate as it is typed: `Beta(0.5, 0.5)`, or `0.6*Beta(19, 58) + 0.4*Beta(3.5, 9.4)`."""

from __future__ import annotations

import re

import numpy as np

from reinfuse.evidence.design.demands import Demands
from reinfuse.statistics.conjugate_mixture import BetaMixture

_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_COMPONENT = re.compile(rf"\s*(?:({_NUMBER})\s*\*\s*)?beta\s*\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)\s*", re.IGNORECASE)
_EXAMPLE = "write it as Beta(0.5, 0.5), or as 0.6*Beta(19, 58) + 0.4*Beta(3.5, 9.4)"
_SUM = 1e-4


def prior_of(text: str, demands: Demands, *, option: str = "--prior") -> BetaMixture | None:
    """Return the prior that a text says; None, with a problem, where it says none.

    Parameters
    ----------
    text
        One Beta distribution, or several with weights that sum to 1.
    demands
        Takes the problem.
    option
        What the text was given as.
    """
    matches = [_COMPONENT.fullmatch(part) for part in text.split("+")]
    parts = [match.groups() for match in matches if match is not None]
    if len(parts) < len(matches):
        demands.refuse(option, text, rule="is no Beta distribution and no mixture of them", remedy=_EXAMPLE)
        return None
    weight = np.array([float(w) if w else 1.0 for w, _, _ in parts])
    a, b = (np.array([float(part[k]) for part in parts]) for k in (1, 2))
    if np.any(a <= 0) or np.any(b <= 0) or np.any(weight <= 0):
        demands.refuse(option, text, rule="has a weight or a shape of 0", remedy="give numbers above 0")
        return None
    if abs(float(weight.sum()) - 1) > _SUM:
        rule = f"has weights that sum to {weight.sum():g}"
        demands.refuse(option, text, rule=rule, remedy="give weights that sum to 1")
        return None
    return BetaMixture(weight, a, b)


def text_of(prior: BetaMixture) -> str:
    """Return a prior as it is typed."""
    parts = [f"Beta({a:.4g}, {b:.4g})" for a, b in zip(prior.a, prior.b, strict=True)]
    if len(parts) == 1:
        return parts[0]
    return " + ".join(f"{w:.4g}*{part}" for w, part in zip(prior.weights, parts, strict=True))
