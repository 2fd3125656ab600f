"""The one module that knows greenwood: each function takes and gives arrays.

Times in days; a patient is at risk at t if the time is >= t and, where patients come late, the entry < t.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from reinfuse.arrays import Floats

_STATES = ["censored", "event", "competing"]


def _surv(time: Floats, event: Floats, *, entry: Floats | None = None) -> Any:
    import greenwood as gw

    status = event.astype(np.int64)
    return gw.Surv(time, event=status) if entry is None else gw.Surv(entry, time2=time, event=status)


def _states(time: Floats, event: Floats, *, competing: Floats) -> Any:
    """Categories are declared: of bare codes the library takes the lowest for censoring, even if nobody is censored."""
    import greenwood as gw

    codes = np.where(event == 1, "event", np.where(competing == 1, "competing", "censored"))
    return gw.Surv(time=time, event=pl.Series(codes.tolist(), dtype=pl.Enum(_STATES)), type="mstate")


def kaplan_meier(
    time: Floats, event: Floats, confidence: float = 0.95, *, entry: Floats | None = None
) -> tuple[Floats, ...]:
    """Estimate a survival curve (Kaplan-Meier).

    Parameters
    ----------
    time, event
        Shape (n,): follow-up, and 1 or 0.
    confidence
        Of the pointwise limits, log-log with Greenwood's variance.
    entry
        Shape (n,): time from which each patient was under observation.

    Returns
    -------
    time, survival, lower, upper, at_risk, events, censored
        One value a distinct time; limits are NaN where they are not defined.

    Notes
    -----
    Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2002, section 1.4.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import nonparametric
    >>> curve = nonparametric.kaplan_meier(np.array([2.0, 3.0, 3.0, 5.0]), np.array([1.0, 1.0, 0.0, 1.0]))
    >>> curve[0].tolist(), curve[1].tolist(), curve[4].tolist()
    ([2.0, 3.0, 5.0], [0.75, 0.5, 0.0], [4.0, 3.0, 1.0])
    """
    import greenwood as gw

    fit: Any = gw.KaplanMeier(conf_type="log-log", conf_level=confidence)
    with np.errstate(all="ignore"):
        table = fit.fit(_surv(time, event, entry=entry)).to_frame(format="polars")
    names = ("time", "estimate", "conf_low", "conf_high", "n_risk", "n_event", "n_censor")
    return tuple(table[c].to_numpy().astype(np.float64) for c in names)


def log_rank(time: Floats, event: Floats, groups: NDArray[np.str_]) -> float | None:
    """Return the p-value of the log-rank test; None where no event compares the groups.

    Parameters
    ----------
    time, event
        Shape (n,): follow-up, and 1 or 0.
    groups
        Shape (n,): the name of each patient's group.

    Notes
    -----
    Mantel N, Cancer Chemother Rep 1966;50:163-170.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import nonparametric
    >>> time, event = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.ones(6)
    >>> round(nonparametric.log_rank(time, event, np.array(["a", "a", "a", "b", "b", "b"])), 3)
    0.025
    """
    import greenwood as gw

    try:
        result: Any = gw.logrank_test(_surv(time, event), group=groups)
    except np.linalg.LinAlgError:
        return None
    return float(result.p_value)


def aalen_johansen(time: Floats, event: Floats, competing: Floats, *, confidence: float) -> tuple[Floats, ...]:
    """Estimate a cumulative incidence where another event competes (Aalen-Johansen).

    Parameters
    ----------
    time, event, competing
        Shape (n,): follow-up; 1 where the event, or the competing event, came; neither: censored.
    confidence
        Of the pointwise limits, log-log.

    Returns
    -------
    time, incidence, lower, upper
        One value a distinct time.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import nonparametric
    >>> time = np.array([1.0, 2.0, 3.0, 4.0])
    >>> relapse, death = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0])
    >>> nonparametric.aalen_johansen(time, relapse, death, confidence=0.95)[1].tolist()
    [0.25, 0.25, 0.5, 0.5]
    """
    import greenwood as gw

    fit: Any = gw.AalenJohansen(conf_type="log-log", conf_level=confidence)
    with np.errstate(all="ignore"):
        table = fit.fit(_states(time, event, competing=competing)).to_frame(format="polars")
    of_event = table.filter(table["cause"] == "event")
    return tuple(of_event[c].to_numpy() for c in ("time", "estimate", "conf_low", "conf_high"))


def gray(time: Floats, event: Floats, competing: Floats, *, groups: Sequence[str]) -> tuple[float, float]:
    """Return statistic and p-value of Gray's test of equal cumulative incidence; NaN where it has none.

    Parameters
    ----------
    time, event, competing
        Shape (n,), as in `aalen_johansen`.
    groups
        The name of each patient's group.

    Notes
    -----
    Gray RJ, Ann Stat 1988;16:1141-1154.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import nonparametric
    >>> time = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> relapse, death = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    >>> statistic, p = nonparametric.gray(time, relapse, death, groups=["a", "a", "a", "b", "b", "b"])
    >>> round(statistic, 2), round(p, 2)
    (2.44, 0.12)
    """
    import greenwood as gw

    try:
        with np.errstate(all="ignore"):
            result: Any = gw.grays_test(_states(time, event, competing=competing), group=list(groups), cause="event")
    except (np.linalg.LinAlgError, ValueError):
        return float("nan"), float("nan")
    return float(result.statistic), float(result.p_value)


def schoenfeld(X: Floats, time: Floats, event: Floats, *, transform: str) -> tuple[Floats, Floats] | None:
    """Test proportional hazards by scaled Schoenfeld residuals.

    Parameters
    ----------
    X
        Shape (n, k).
    time, event
        Shape (n,): follow-up, and 1 or 0.
    transform
        Of time: ``km``, ``rank``, ``log`` or ``identity``.

    Returns
    -------
    statistic, p_value
        Of each column and, last, of all, shape (k + 1,); None where the model cannot be fitted.

    Notes
    -----
    Grambsch and Therneau, Biometrika 1994;81:515-526.

    Examples
    --------
    >>> import numpy as np
    >>> from reinfuse.statistics import nonparametric
    >>> X = np.array([[0.0], [1.0], [0.0], [1.0], [1.0], [0.0], [1.0], [0.0]])
    >>> time = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    >>> statistic, p = nonparametric.schoenfeld(X, time, np.ones(8), transform="km")
    >>> p.round(2).tolist()
    [0.34, 0.34]
    """
    import greenwood as gw

    try:
        with np.errstate(all="ignore"):
            fit: Any = gw.CoxPH(ties="breslow").fit(_surv(time, event), X)
            table = fit.cox_zph(transform=transform).to_frame(format="polars")
    except (np.linalg.LinAlgError, ValueError, RuntimeError):
        return None
    return table["chisq"].to_numpy().astype(np.float64), table["p_value"].to_numpy().astype(np.float64)
