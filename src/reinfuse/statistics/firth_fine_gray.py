"""Fine and Gray's model with Firth's penalty: the weighted partial likelihood plus half the log determinant of its
information.

The weights are those of `fine_gray`: a patient with the competing event at T stays at risk at t > T with weight
G(t-) / G(T-) (Fine and Gray, J Am Stat Assoc 1999;94:496-509). Penalty, likelihood ratio and profile limits are those
of the Firth Cox model (Heinze and Schemper, Biometrics 2001;57:114-119) on these weighted risk sets. Where nobody is
censored before the last event the weights are 1 and the likelihood is a partial likelihood; else the weights are
estimated, and the ratio's chi-square is an approximation.
"""

from __future__ import annotations

from reinfuse.arrays import Floats
from reinfuse.statistics import firth_risk_sets
from reinfuse.statistics.fine_gray import risk_weights
from reinfuse.statistics.firth import FirthFit

METHOD = "Firth-penalised Fine-Gray, penalised likelihood ratio, profile CI"


def fit(X: Floats, time: Floats, event: Floats, *, competing: Floats, confidence: float) -> FirthFit:
    """Fit the model.

    Parameters
    ----------
    X
        Shape (n, k), no column constant or a combination of others.
    time, event, competing
        Shape (n,): days; 1 where the event, or the competing event, came at that time; neither: censored.
    confidence
        Of the profile limits.

    Returns
    -------
    FirthFit
        Logarithms of subdistribution hazard ratios.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import firth_fine_gray
    >>> X = np.array([[1.0], [0.0], [0.0]])
    >>> relapse, death = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    >>> fitted = firth_fine_gray.fit(X, np.array([1.0, 2.0, 3.0]), relapse, competing=death, confidence=0.95)
    >>> round(float(np.exp(fitted.coef[0])), 3)
    6.0
    """
    _, count, weight = risk_weights(time, event, competing=competing)
    return firth_risk_sets.fit(X, event, count=count, weight=weight, confidence=confidence)
