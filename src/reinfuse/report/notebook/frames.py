"""What is shown as a data frame of pandas, which is no library that reinfuse needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from reinfuse.exceptions import ExtraMissing, Problem

if TYPE_CHECKING:
    import pandas as pd


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """Return a data frame as one of pandas.

    Raises
    ------
    ExtraMissing
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        rule = "needs the library pandas, which is not installed"
        remedy = "install pandas, or use to_polars()"
        raise ExtraMissing([Problem(table="to_pandas", rule=rule, remedy=remedy)]) from None
    return pd.DataFrame(frame.to_dict(as_series=False), columns=frame.columns)
