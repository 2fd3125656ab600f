"""What the settings of a design must be: every one that is not is a problem, all at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from reinfuse.exceptions import Problem, RequestRefused


class Demands:
    """Collects what is wrong with the settings of one design.

    Parameters
    ----------
    design
        Its name, as the command line calls it.
    """

    def __init__(self, design: str) -> None:
        self.design = design
        self.problems: list[Problem] = []

    def refuse(self, option: str, value: object, *, rule: str, remedy: str) -> None:
        """Add a problem with an option."""
        text = None if value is None else str(value)
        self.problems.append(Problem(table=self.design, column=option, value=text, rule=rule, remedy=remedy))

    def share(self, option: str, value: float | None, *, least: float = 0.0, most: float = 1.0) -> bool:
        """Demand a number strictly between two; tell whether it is one."""
        if value is not None and math.isfinite(value) and least < value < most:
            return True
        what = "is missing" if value is None else f"is not between {least:g} and {most:g}"
        remedy = f"give a number above {least:g} and below {most:g}, such as {(least + most) / 2:g}"
        if value is not None and 1 < value < 100 and most == 1:
            remedy = f"write {value:g} % as {value / 100:g}"
        self.refuse(option, value, rule=what, remedy=remedy)
        return False

    def positive(self, option: str, value: float | None, *, most: float = math.inf, zero: bool = False) -> bool:
        """Demand a number above 0 (or from 0 on) and up to a greatest."""
        if value is not None and math.isfinite(value) and (value > 0 or (zero and value == 0)) and value <= most:
            return True
        low = "0 or more" if zero else "above 0"
        bound = f"{low} and up to {most:g}" if math.isfinite(most) else low
        what = "is missing" if value is None else f"is not {bound}"
        self.refuse(option, value, rule=what, remedy=f"give a number {bound}")
        return False

    def whole(self, option: str, value: int, *, least: int, most: int) -> bool:
        """Demand a whole number within limits."""
        if least <= value <= most:
            return True
        self.refuse(option, value, rule=f"is not from {least} to {most}", remedy=f"give {least} to {most}")
        return False

    def rising(self, option: str, values: Sequence[int], *, last: int) -> bool:
        """Demand whole numbers that rise, from 1 to before the last."""
        wanted = not values or all(a < b for a, b in pairwise([0, *values, last]))
        if not wanted:
            shown = ",".join(map(str, values))
            remedy = f"give numbers of patients that rise and are below {last}, such as {max(last // 2, 1)}"
            self.refuse(option, shown, rule="are not rising numbers of patients below n", remedy=remedy)
        return wanted

    def settle(self) -> None:
        """Refuse the request if anything is wrong.

        Raises
        ------
        RequestRefused
            With every problem.
        """
        if self.problems:
            raise RequestRefused(self.problems)
