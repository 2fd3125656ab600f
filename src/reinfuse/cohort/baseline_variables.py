"""What the table of patients may describe beside a plan's factors: names of baseline columns, and their labels."""

from __future__ import annotations

import re

NUMBERS = ("age_years", "prior_lines", "interval_days")
CATEGORIES = ("diagnosis", "histology", "sex", "bulky", "reason", "product")
LABELS = {"histology": "Histology", "reason": "Reason for the infusion", "product": "Product"}
"""Of those that are no built-in factor."""
UNITS = {"age_years": "years", "prior_lines": "lines", "interval_days": "days"}
_OF_AN_INFUSION = re.compile(r"cart\d{1,2}_(?:regimen|dose_cells_per_kg)")


def is_baseline_variable(name: str) -> bool:
    """Tell whether the table of patients may hold a variable of this name, whatever the plan's factors are."""
    return name in (*NUMBERS, *CATEGORIES) or _OF_AN_INFUSION.fullmatch(name) is not None
