"""Kinetics: the CAR-T counts of each infusion, and what they sum up to by a rule for counts below the limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from reinfuse.app.screen import Screen, Visit
from reinfuse.app.state import analysed, command, has_meaning

if TYPE_CHECKING:
    from starlette.responses import Response

    from reinfuse.app.project import Project
    from reinfuse.study.count_profiles import CountProfile, CountProfiles

WIDTH, HEIGHT, LEFT, TOP, FOOT, END = 200, 120, 34, 6, 18, 6


@dataclass(frozen=True)
class DrawnProfile:
    """One profile: points (x, y, below), the line through them, and where the limit is (None: not known)."""

    profile: CountProfile
    points: tuple[tuple[float, float, bool], ...]
    line: str
    limit: float | None


@dataclass(frozen=True)
class Axes:
    """Axes of all profiles: days by their square root, so that the first weeks are seen; counts by powers of ten."""

    until: float
    low: int
    high: int

    def x(self, day: float) -> float:
        """Return where a day is."""
        return round(LEFT + (WIDTH - LEFT - END) * math.sqrt(max(day, 0.0) / self.until), 1)

    def y(self, count: float) -> float:
        """Return where a count is; one that is 0 or less lies on the axis."""
        share = (math.log10(count) - self.low) / (self.high - self.low) if count > 0 else 0.0
        return round(TOP + (HEIGHT - TOP - FOOT) * (1 - min(max(share, 0.0), 1.0)), 1)

    @property
    def days(self) -> tuple[int, ...]:
        """Days that are named."""
        return tuple(d for d in (0, 7, 28, 90, 365, 730, 1461) if d <= self.until)

    @property
    def powers(self) -> tuple[int, ...]:
        """Powers of ten that are named."""
        return tuple(range(self.low, self.high + 1, max(1, (self.high - self.low) // 3)))


def _show(visit: Visit) -> Response:
    from reinfuse.study.count_profiles import RULES

    project = visit.open_project
    counts = _counts(project, tuple(sorted((n, v) for n, v in visit.query.items() if n in RULES)))
    infusions = sorted({p.infusion for p in counts.profiles}) if counts else []
    wanted = visit.query.get("infusion", str(infusions[-1]) if infusions else "")
    shown = [p for p in counts.profiles if str(p.infusion) == wanted or wanted == "all"] if counts else []
    axes = _axes(shown)
    return visit.page(counts=counts, shown=[_drawn(p, axes) for p in shown], axes=axes, infusions=infusions,
                      infusion=wanted, rules=RULES, command=command(project, "kinetics", "--no-sampling"))  # fmt: skip


def _counts(project: Project, rules: tuple[tuple[str, str], ...]) -> CountProfiles | None:
    return _counted(project, rules, project.stamp, project.source.stat().st_mtime)


@lru_cache(maxsize=8)
def _counted(project: Project, rules: tuple[tuple[str, str], ...], stamp: str, changed: float) -> CountProfiles | None:
    from reinfuse.app.analysis_state import plan_text
    from reinfuse.study.count_profiles import count_profiles
    from reinfuse.study.plan_lock import settings_of

    del stamp, changed
    return count_profiles(analysed(project)[0], settings_of(plan_text(project)), rules=dict(rules))


def _axes(profiles: Sequence[CountProfile]) -> Axes:
    points = [point for p in profiles for point in p.points]
    counts = [value for _, value, _ in points if value > 0] or [1.0, 10.0]
    limits = [p.limit for p in profiles if p.limit]
    low, high = math.floor(math.log10(min(counts))), math.ceil(math.log10(max(counts)))
    low -= bool(limits) and min(limits) <= 10.0**low  # what is below the limit is seen, too
    return Axes(max([day for day, _, _ in points], default=28.0), low, max(high, low + 1))


def _drawn(profile: CountProfile, axes: Axes) -> DrawnProfile:
    points = tuple((axes.x(day), axes.y(value), below) for day, value, below in profile.points)
    line = "M" + "L".join(f"{x},{y}" for x, y, _ in points) if points else ""
    return DrawnProfile(profile, points, line, None if profile.limit is None else axes.y(profile.limit))


SCREEN = Screen(name="kinetics", show=_show, reachable=has_meaning)
