"""Key findings: what was asked, of whom, what was found, and how certain it is; the first page of the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reinfuse.analyses.multiplicity import hypotheses
from reinfuse.analyses.proportional_hazards import VIOLATED
from reinfuse.cohort.endpoint_catalog import ENDPOINTS, declaration
from reinfuse.cohort.strata import AT_LEAST, Stratum
from reinfuse.report.document.model import Block, Pairs, Paragraph, Ref, Table, Text
from reinfuse.report.sections.certainty import RATIOS, Certainty
from reinfuse.report.tables.robustness import effect_of, ratio
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text import number_format
from reinfuse.report.text.journal_style import printed_as
from reinfuse.report.text.labels import listed, lowered, with_own_labels
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate
from reinfuse.results.findings import Findings

ORDINALS = {1: "first", 2: "second", 3: "third"}
MOST_SUBGROUPS = 6
MOST_EFFECTS = 8
"""Effects that are told one by one; of more, the tables tell."""
MEAN_DIFFERENCE = "restricted_mean_difference"
_TOXICITIES = {"CRS": "Cytokine release syndrome", "ICANS": "ICANS", "NT": "Neurotoxicity"}


IN_TABLE = ("Response", "Survival", "Toxicity")
"""Statements that the table of outcomes makes, where it stands on the first page."""


def key_findings(tables: StudyTables, outcomes: Table | None, *, figures: Sequence[Block] = ()) -> Iterator[Block]:
    """Yield the first page's blocks: statements, outcomes, the primary figures."""
    heads = IN_TABLE if outcomes is not None else ()
    yield Pairs(tuple(one for one in KeyFindings(tables).statements() if one[0] not in heads))
    yield from (() if outcomes is None else (outcomes,))
    yield from figures
    caution: Text = (
        "These are associations in one cohort: not treatment effects, and not advice for an individual patient. "
        "See ", Ref("section", "limits"), ".",
    )  # fmt: skip
    yield Paragraph(caution, "aside")


def first_findings(findings: Findings) -> list[tuple[str, str]]:
    """Return headings and statements of what was found, before it is known how certain it is."""
    with printed_as(findings.plan.report):
        return list(KeyFindings(StudyTables(with_own_labels(findings))).first())


class KeyFindings:
    """Words the main results of one study; every number is a record's."""

    def __init__(self, tables: StudyTables) -> None:
        self.tables = tables
        self.findings = tables.findings
        self.plan = tables.findings.plan
        self.look = tables.look
        self.labels = tables.labels

    def statements(self) -> Iterator[tuple[str, str]]:
        """Yield what each statement is about, and the statement."""
        yield "Question", self._question()
        yield from self.first()
        yield from self._certainty()

    def first(self) -> Iterator[tuple[str, str]]:
        """Yield what was found, without how certain it is: that rests on further analyses."""
        for head, sentences in (
            ("Patients", (*self.patients(), *self._follow_up())),
            ("Response", self._response()),
            ("Survival", self._survival()),
            ("Toxicity", self._toxicity()),
        ):
            text = " ".join(sentences)
            if text:
                yield head, text
        yield from self._associations()

    def _certainty(self) -> Iterator[tuple[str, str]]:
        effects = list(self.effects())
        certainty = Certainty(self.tables, effects if len(effects) <= MOST_EFFECTS else ())
        for head, sentences in (
            ("Power", certainty.power()),
            ("Single patients", certainty.influence()),
            ("Confounding", certainty.confounding()),
            ("Multiplicity", certainty.multiplicity()),
        ):
            text = " ".join(sentences)
            if text:
                yield head, text

    # What was asked, and of whom

    def _question(self) -> str:
        index = ORDINALS.get(self.plan.index_infusion, f"{self.plan.index_infusion}th")
        ends: dict[tuple[str, ...], list[str]] = {}
        for model in self.plan.models:
            ends.setdefault(model.factors, []).append(lowered(self.labels.endpoint(model.endpoint)))
        question = "; ".join(
            f"{'are' if len(factors) > 1 else 'is'} {listed([self.labels.factor(f) for f in factors])} associated "
            f"with {listed(of)}"
            for factors, of in ends.items()
        )
        return f"What are the outcomes after the {index} CAR-T infusion{f', and {question}' if question else ''}?"

    def patients(self) -> Iterator[str]:
        """Yield who was analysed, and who was left out and why."""
        counts = self.look.all("flow", None, "count")
        analysed = next((e for e in counts if e.term == "analysed"), None)
        total = next((e for e in counts if e.term == "in the cohort"), None)
        if analysed is None:
            return
        number = number_format.hidden(analysed) or number_format.count(analysed.estimate)
        stated = total is not None and total.estimate is not None
        some_out = stated and total is not None and total.estimate != analysed.estimate
        of = f" of {number_format.count(total.estimate)}" if some_out and total is not None else ""
        verb = "patient was" if not of and analysed.estimate == 1 else "patients were"
        none_out = "; none was excluded" if stated and not some_out else ""
        yield f"{number}{of} {verb} analysed{self._groups()}{none_out}."
        out = [f"{e.level}: {number_format.hidden(e) or number_format.count(e.estimate)}"
               for e in counts if e.term == "excluded"]  # fmt: skip
        if out:
            yield f"Excluded: {'; '.join(out)}."

    def _follow_up(self) -> Iterator[str]:
        follow_up = self.look.one("survival", "os", "median_follow_up")
        if follow_up is not None and follow_up.n and not number_format.hidden(follow_up):
            yield f"Median follow-up for survival: {self._months(follow_up)}."

    def _groups(self) -> str:
        sizes = [self.look.one("baseline", None, "count", p, term=None) for p in self.findings.described.populations]
        texts = [f"{self.labels.population(e.population)}: {number_format.count(e.estimate)}"
                 for e in sizes if e is not None and e.population != "all" and e.estimate is not None]  # fmt: skip
        return f" ({', '.join(texts)})" if texts else ""

    # What was found

    def _response(self) -> Iterator[str]:
        for end in self.findings.described.endpoints:
            record = self.look.one("response", end.name, "proportion") if end.kind == "binary" else None
            if record is not None and record.n:
                ci = f", {number_format.level_before(record.confidence, number_format.interval(record))}"
                yield f"{end.label}: {number_format.of(record)}{'' if number_format.hidden(record) else ci}."

    def _survival(self) -> Iterator[str]:
        for end in self.findings.described.endpoints:
            own = end.name not in ENDPOINTS
            if end.kind == "binary" or end.competing or not (own or declaration(end.name).summarised):
                continue
            for population in ("all", *(self._subgroups if own else ())):
                record = self.look.one("survival", end.name, "median", population)
                if record is None or not record.n or number_format.hidden(record):
                    continue
                origin = declaration(end.name).origin
                if (record.note or "").startswith(NOT_ESTIMABLE):
                    yield f"{end.label}{origin}: median {record.note} (n = {number_format.count(record.n)})."
                    continue
                among = "" if population == "all" else f", {self.labels.population(population)}"
                yield (
                    f"{end.label}{origin}{among}: median {self._months(record)[:-1]}; "
                    f"n = {number_format.count(record.n)}, events {number_format.count(record.events)})."
                )

    @property
    def _subgroups(self) -> list[str]:
        """The first subgroups: of a plan's own endpoint their medians stand beside that of all patients."""
        return [p for p in self.findings.described.populations if p != "all"][:MOST_SUBGROUPS]

    def _months(self, record: Estimate) -> str:
        unit = " months" if record.estimate is not None else ""
        inside = number_format.level_before(record.confidence, number_format.interval(record))
        return f"{number_format.months(record.estimate)}{unit} ({inside})"

    def _toxicity(self) -> Iterator[str]:
        for kind, name in _TOXICITIES.items():
            record = self.look.one("toxicity", None, "proportion", term=kind, level=f"{AT_LEAST}3")
            if record is not None and record.n:
                yield f"{name} grade ≥3: {number_format.of(record)}."

    def _associations(self) -> Iterator[tuple[str, str]]:
        effects = list(self.effects())
        if not self.plan.models:
            if hypotheses(self.findings.estimates):
                yield (
                    "Associations",
                    "The plan names no multivariable model: every association in this report is exploratory, and "
                    "none is singled out here.",
                )
            return
        if len(effects) > MOST_EFFECTS:
            yield (
                "Associations",
                f"The plan's models have more than {MOST_EFFECTS} effects: the tables of associations hold all of "
                "them, and none is singled out here.",
            )
            return
        for e in effects:
            yield _capital(self.tables.named(e)), self._association(e)
        ends = {e.endpoint for e in effects}
        for name in dict.fromkeys(m.endpoint for m in self.plan.models if m.endpoint not in ends):
            yield (
                self.labels.endpoint(name),
                "The plan's model was not fitted: these data lack its endpoint or one of its factors.",
            )

    def effects(self) -> Iterator[Estimate]:
        """Yield the effects in the plan's models, whatever their p-value."""
        for model in {m.endpoint: m for m in self.plan.models}.values():
            kind = "multivariable" if len(set(model.factors)) > 1 else "univariable"
            for statistic in RATIOS:
                effects = self.look.all("association", model.endpoint, statistic, model=kind)
                yield from (e for e in effects if e.term in model.factors)

    def _association(self, e: Estimate) -> str:
        if e.estimate is None:
            if number_format.hidden(e):
                return f"{_capital(number_format.UNTOLD)}: so that no small number of patients can be derived."
            why = (e.note or "").removeprefix(NOT_ESTIMABLE).lstrip(": ")
            return f"{_capital(NOT_ESTIMABLE)}{f' ({why})' if why else ''}: nothing can be said."
        shown = e.p_value is not None and e.p_value < 1 - (e.confidence or 0)
        what = self._direction(e) if shown else "no association shown"
        groups = self._by_level(e)
        inside = number_format.level_before(e.confidence, number_format.interval(e))
        numbers = (
            f"{self._kind(e)} {number_format.ratio(e.estimate)} "
            f"({inside}; {number_format.p_equals(e)}{self._simulated(e)}; "
            f"n = {number_format.count(e.n)}, events {number_format.count(e.events)})"
        )
        return f"{_capital(what)}{groups}: {numbers}.{'' if shown else _not_excluded(e)}{self._means(e)}"

    def _means(self, e: Estimate) -> str:
        """Say that one hazard ratio does not hold over time, and the difference of restricted means instead."""
        where = effect_of(e)
        tests = self.look.all("proportional", e.endpoint, "p_value", **where)
        if not tests or tests[0].p_value is None or tests[0].p_value >= VIOLATED:
            return ""
        text = f" The hazard ratio changes over time ({number_format.p_equals(tests[0])})"
        [difference, *_] = [*self.look.all("proportional", e.endpoint, MEAN_DIFFERENCE, **where), None]
        if difference is None or difference.estimate is None or difference.lower is None:
            return f"{text}: it is an average."
        months = number_format.months(difference.estimate)
        inside = number_format.level_before(difference.confidence, number_format.interval(difference))
        return (
            f"{text}; difference of restricted mean survival times to {number_format.months(difference.at)} months, "
            f"unadjusted: {months} months ({inside})."
        )

    def _by_level(self, e: Estimate) -> str:
        """Return the outcome at an effect's level and at its reference: `(with it 13 of 28 (46%); without ...)`."""
        factor = next((f for f in self.findings.described.factors if f.name == e.term), None)
        if factor is None or factor.kind == "number":
            return ""
        texts = []
        for level in (e.level or factor.levels[-1], factor.levels[0]):
            group = Stratum(factor.name, level)
            if e.statistic == "odds_ratio":
                share = self.look.one("response", e.endpoint, "proportion", group=group)
                texts.append(f"{self._named(group)} {number_format.of(share)}" if share and share.n else "")
            else:
                median = self.look.one("survival", e.endpoint, "median", group=group)
                hidden = median is None or not median.n or NOT_ESTIMABLE in (median.note or "")
                hidden = hidden or (median is not None and number_format.hidden(median) is not None)
                texts.append("" if median is None or hidden else f"{self._named(group)} median {self._months(median)}")
        return f" ({'; '.join(texts)})" if all(texts) else ""

    def _named(self, group: Stratum) -> str:
        level = self.labels.level_label(group.factor, group.level)
        return {"yes": "with it", "no": "without"}.get(level, level)

    def _kind(self, e: Estimate) -> str:
        factors = next((m.factors for m in self.plan.models if m.endpoint == e.endpoint), ())
        return f"{'adjusted ' if len(set(factors)) > 1 else 'unadjusted '}{RATIOS[e.statistic]}"

    def _direction(self, e: Estimate) -> str:
        way = "higher" if (e.estimate or 0) > 1 else "lower"
        if e.statistic == "odds_ratio":
            return f"{way} odds of {lowered(self.labels.endpoint(e.endpoint or ''))}"
        own = declaration(e.endpoint or "")
        event = declaration(own.part_of[0]).event if own.among else own.event
        return f"{way} hazard of {event or 'the event'}"

    def _simulated(self, e: Estimate) -> str:
        own = self.look.all("calibrated", e.endpoint, e.statistic, **effect_of(e))
        if not own or own[0].p_value is None:
            return ""
        return f"; by simulation {ratio(own[0])}, {number_format.p_equals(own[0])}"


def _not_excluded(e: Estimate) -> str:
    """Say what the interval of an effect that was not shown leaves open."""
    halved = e.lower is None or e.lower <= 0.5
    doubled = e.upper is None or e.upper >= 2
    what = "odds" if e.statistic == "odds_ratio" else "hazard"
    open_ways = [name for name, is_open in (("halving", halved), ("doubling", doubled)) if is_open]
    return f" The interval does not exclude a {' or a '.join(open_ways)} of the {what}." if open_ways else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
