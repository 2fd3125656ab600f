"""The course as states in the report: probabilities, patients in each state, transitions, and a stacked figure."""

from __future__ import annotations

from collections.abc import Iterator

from reinfuse.analyses.disease_states import METHOD, RECORDS, STATE, STAYED
from reinfuse.cohort.disease_states import STATES
from reinfuse.cohort.strata import Stratum, factor_of, level_of, parts_of
from reinfuse.report.analyses.base import Cite, Part, Shown, Strobe
from reinfuse.report.document.model import Row, Table
from reinfuse.report.figures.figure_spec import FigureInputs, Planned
from reinfuse.report.figures.states import StateCurve, states
from reinfuse.report.figures.theme import Drawn
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.references import cited
from reinfuse.results.findings import Findings

NAME = "states"
_TITLE = "Course after the index infusion as states"
_TEXT = (
    "A patient is in one state at a time: without a response, in the first response, in relapse or progression, after "
    "a transplant, on the next anticancer therapy (the next CAR-T infusion included), or dead. A state lasts until the "
    "next such event; a response or progression during a next therapy does not change it. Events of one day are one "
    "transition, to the last of these states."
)


def _methods(_: Findings, cite: Cite) -> Iterator[str]:
    yield (
        f"Probabilities of being in each state of the course are Aalen-Johansen estimates {cite('aalen')} with "
        "infinitesimal jackknife standard errors."
    )


def _probabilities(tables: StudyTables) -> Table | None:
    rows, days = [], []
    for state in STATES:
        rates = tables.look.all(RECORDS, None, "probability", group=Stratum(STATE, state))
        if rates:
            days = [number_format.month(r.at) for r in rates]
            entered = number_format.NOT_SHOWN if state == STATES[0] else number_format.count(rates[0].events)
            rows.append(Row(state, (entered, *(number_format.share(r) for r in rates))))
    if not rows:
        return None
    n = tables.look.all(RECORDS, None, "probability")[0].n
    heads = ("State", "Entries", *(f"At {day} months ({tables.ci})" for day in days))
    notes = (f"{METHOD}; n = {number_format.count(n)}", "entries: transitions into the state")
    return Table("state_probabilities", "Probability of being in each state", heads, tuple(rows), notes)


def _transitions(tables: StudyTables) -> Table | None:
    every = tables.look.all(RECORDS, None, "transitions")
    counts = {tuple(level_of(part) for part in parts_of(e.group)): e for e in every}
    origins, targets = (list(dict.fromkeys(pair[i] for pair in counts)) for i in (0, 1))
    targets = [s for s in (*STATES, STAYED) if s in targets]
    rows = []
    for origin in origins:
        entered = next(e.n for pair, e in counts.items() if pair[0] == origin)
        cells = [number_format.count(counts[origin, t].estimate) if (origin, t) in counts else number_format.NOT_SHOWN
                 for t in targets]  # fmt: skip
        rows.append(Row(origin, (number_format.count(entered), *cells)))
    if not rows:
        return None
    heads = ("From", "Patients entering", *(f"To: {t[:1].lower()}{t[1:]}" for t in targets))
    note = "patients of the first row are all analysed; of the others, entries into the state"
    return Table("transitions", "Transitions between states", heads, tuple(rows), (note,))


def _parts(tables: StudyTables) -> Iterator[Part]:
    yield Part("survival_states", _TITLE, tables=(_probabilities(tables), _transitions(tables)), text=(_TEXT,))


def _figures(inputs: FigureInputs) -> Iterator[Planned]:
    yield "survival_states", NAME, lambda: _figure(inputs)


def _figure(inputs: FigureInputs) -> Drawn | None:
    look, curves = inputs.tables.look, inputs.findings.curves
    layers = []
    for (endpoint, _, group), curve in curves.items():
        if endpoint == RECORDS and factor_of(group) == STATE:
            rates = look.all(RECORDS, None, "probability", group=group)
            at_risk = look.all(RECORDS, None, "at_risk", group=group)
            layers.append(StateCurve(level_of(group), curve, rates, at_risk))
    if not layers:
        return None
    return states(NAME, _TITLE, layers, synthetic=inputs.synthetic, columns=inputs.two)


SHOWN = Shown(
    _methods,
    references=cited("aalen"),
    strobe=(Strobe("15", "states probability", "state occupation"),),
    figures=_figures,
    parts=_parts,
    tables_named=("state_probabilities", "transitions"),
)
