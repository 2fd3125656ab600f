"""The prior of a response rate from the register: what its comparable studies predict for a further one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from reinfuse.evidence.borrowing import as_beta_mixture
from reinfuse.evidence.cautions import cautions
from reinfuse.evidence.register import Register
from reinfuse.evidence.synthesis import synthesize
from reinfuse.exceptions import Problem, RequestRefused
from reinfuse.statistics.conjugate_mixture import BetaMixture


@dataclass(frozen=True)
class PublishedPrior:
    """A meta-analytic-predictive prior.

    Attributes
    ----------
    mixture
        Without a vague component.
    studies
        Each study in words: events of patients.
    cautions
        What is to be known of them before use.
    """

    mixture: BetaMixture = field(repr=False)
    studies: tuple[str, ...]
    cautions: tuple[str, ...]


def published_prior(register: Register, endpoint: str, *, disease: str | None = None, today: date) -> PublishedPrior:
    """Return the prior from the comparable studies of a register.

    Parameters
    ----------
    register
        Published studies.
    endpoint, disease
        Which proportion; None: of all diagnoses.
    today
        For the age of the evidence.

    Raises
    ------
    RequestRefused
        If no study is comparable, with the reasons.
    """
    synthesis = synthesize(register, endpoint, disease=disease)
    if not synthesis.rows:
        reasons = "; ".join(f"{one.study.label}: {one.reason}" for one in synthesis.excluded) or "none reports it"
        rule = f"no comparable study of the register reports {endpoint!r}"
        raise RequestRefused([Problem(table="design bayes", column="--map", value=endpoint, rule=rule,
                                      remedy=f"give --prior, or another endpoint ({reasons})")])  # fmt: skip
    mixture, _ = as_beta_mixture(synthesis.bayesian[0])
    studies = tuple(f"{row.label}: {row.events} of {row.n}" for row in synthesis.rows)
    return PublishedPrior(mixture, studies, tuple(cautions(synthesis, on=today)))
