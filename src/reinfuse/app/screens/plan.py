"""Plan: what is estimated, chosen by totals alone and locked before any outcome is shown by any factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reinfuse.app.analysis_state import inputs, locked, plan_file, plan_text
from reinfuse.app.screen import Screen, Visit
from reinfuse.app.state import analysed, command, has_meaning
from reinfuse.exceptions import PlanRefused, Problem, Refused

if TYPE_CHECKING:
    from starlette.responses import Response

    from reinfuse.app.project import Project
    from reinfuse.study.plan_preview import FactorTotals, PlanPreview
    from reinfuse.study.plan_settings import PlanChoices

POWER_DRAWS = 200
_CONFIDENCES = (0.9, 0.95, 0.99)


def _preview(project: Project, text: str) -> PlanPreview:
    changed = project.source.stat().st_mtime
    return _previewed(project, text, (project.stamp, changed))


@lru_cache(maxsize=8)
def _previewed(project: Project, text: str, of: tuple[str, float]) -> PlanPreview:
    from reinfuse.study.plan_lock import settings_of
    from reinfuse.study.plan_preview import preview

    del of
    cohort, _ = analysed(project)
    return preview(cohort, settings_of(text))


def _show(visit: Visit) -> Response:
    from reinfuse.study.plan_settings import choices_of, is_plain

    project, totals = visit.open_project, None
    problems: Sequence[Problem] = ()
    text, came = plan_text(project), plan_file(project)
    try:
        totals = _preview(project, text)
    except Refused as refused:
        problems = refused.problems
    try:
        choices, plain = choices_of(text), is_plain(text)
    except PlanRefused:
        choices, plain = choices_of(""), False
    return visit.page(
        text=text, came=came is not None and came != project.plan, totals=totals,
        problems=problems, choices=choices, plain=plain, state=locked(project),
        confidences=sorted({*_CONFIDENCES, choices.confidence}), power=visit.services.tasks.get(project.task("power")),
        command=command(project, "power", "--plan", "plan.toml", "--draws", str(POWER_DRAWS)),
    )  # fmt: skip


def _choose(visit: Visit) -> Response:
    """Save what was chosen as the plan's file, or lock it."""
    from reinfuse.study.plan_settings import choices_of, is_plain, with_choices

    project = visit.open_project
    before = plan_text(project)
    choices = _chosen(visit, choices_of(before))
    return _written(visit, with_choices(before, choices, models_too=is_plain(before)))


def _text(visit: Visit) -> Response:
    """Save the plan's text as it was written, or lock it."""
    from reinfuse.study.plan_lock import settings_of

    text = visit.form.get("text", "").replace("\r\n", "\n")
    settings_of(text)
    return _written(visit, text)


def _written(visit: Visit, text: str) -> Response:
    from reinfuse.study.plan_lock import lock_plan, save_draft

    project = visit.open_project
    if locked(project) is None and visit.form.get("do") != "lock":
        save_draft(project.plan, text)
        return visit.go()
    _preview(project, text)  # what does not fit the data is not locked
    lock_plan(project.plan, text, reason=visit.form.get("reason", ""))
    return visit.go("run") if visit.form.get("do") == "lock" else visit.go()


def _chosen(visit: Visit, before: PlanChoices) -> PlanChoices:
    """Return the choices of the form; factors are as they were where the form could not list them."""
    from dataclasses import replace

    form = visit.form
    own = replace(before, title=form.get("title", before.title), index_infusion=_number(form, "index", whole=True),
                  confidence=_number(form, "confidence"))  # fmt: skip
    if "listed" not in form:
        return own
    totals = _preview(visit.open_project, plan_text(visit.open_project))
    possible = {f.name: f for f in (*totals.factors, *totals.candidates)}
    names = [name for name in visit.choices.get("factor", ()) if name in possible]
    factors = {name: before.factors.get(name) or _declared(possible[name], form) for name in names}
    if own.index_infusion == 1:
        factors = {name: f for name, f in factors.items() if not _is_of_second(name, f)}
    ticked = visit.choices.get("subgroup", ())
    subgroups = [s for s in before.subgroups if s not in possible or s in ticked]
    return replace(own, factors=factors, models=_models(visit.choices.get("model", ())),
                   subgroups=list(dict.fromkeys([*subgroups, *ticked])))  # fmt: skip


def _models(ticked: Sequence[str]) -> dict[str, list[str]]:
    """Return the factors of each endpoint's model: `pfs sex` is one tick."""
    models: dict[str, list[str]] = {}
    for endpoint, _, factor in (tick.partition(" ") for tick in ticked):
        models.setdefault(endpoint, []).append(factor)
    return models


def _declared(factor: FactorTotals, form: Mapping[str, str]) -> dict[str, Any]:
    """Return a factor that the plan does not have yet, as a plan has it."""
    from reinfuse.study.plan_settings import choices_of

    if factor.column is None:
        return dict(choices_of("").factors.get(factor.name, {"name": factor.name}))
    above = form.get(f"above:{factor.name}", "").strip()
    cut = {"above": _number(form, f"above:{factor.name}")} if above else {}
    return {"name": factor.name, "column": factor.column, **cut}


def _is_of_second(name: str, settings: Mapping[str, Any]) -> bool:
    from reinfuse.study.plan_settings import NEEDS_SECOND

    return name in NEEDS_SECOND and "column" not in settings


def _number(form: Mapping[str, str], name: str, *, whole: bool = False) -> Any:
    text = form.get(name, "").strip()
    try:
        return int(text) if whole else float(text.replace(",", "."))
    except ValueError:
        rule = "is no whole number" if whole else "is no number"
        problem = Problem(table="plan", column=name.removeprefix("above:"), value=text, rule=rule, remedy="correct it")
        raise PlanRefused([problem]) from None


def _estimate_power(visit: Visit) -> Response:
    project = visit.open_project
    visit.services.tasks.begin(project.task("power"), "power", {"draws": POWER_DRAWS, **inputs(project)})
    return visit.go()


def _power(visit: Visit) -> Response:
    return visit.fragment("power.html", power=visit.services.tasks.get(visit.open_project.task("power")))


def _stop(visit: Visit) -> Response:
    visit.services.tasks.stop(visit.open_project.task("power"))
    return visit.go()


SCREEN = Screen(name="plan", show=_show, actions={"choose": _choose, "text": _text, "power": _estimate_power},
                anytime={"stop": _stop}, parts={"power": _power}, reachable=has_meaning)  # fmt: skip
