"""Tables of competing events, post-infusion factors, standardised outcomes, power and within-patient comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reinfuse.analyses import competing_risks, protocol_balance, simulated_inference
from reinfuse.cohort.post_baseline import LABELS
from reinfuse.cohort.strata import parts_of
from reinfuse.report.document.model import Row, Table
from reinfuse.report.tables.robustness import InferenceTables, effect_of, percent, ratio
from reinfuse.report.text import number_format
from reinfuse.report.text.labels import lowered
from reinfuse.results.estimate import NOT_ESTIMABLE, Estimate


class ProtocolTables(InferenceTables):
    """Makes the last tables of one study; each is None where nothing was run."""

    def effects_on_incidence(self) -> Table | None:
        """Gray's tests and subdistribution hazard ratios."""
        lines: list[tuple[str, tuple[str, ...], str | None]] = []
        for end in self._ends():
            for e in self.look.all("competing", end, "subdistribution_hazard_ratio"):
                gray = self.look.all("competing", end, "p_value", term=e.term)
                cells = (number_format.count(e.n), number_format.count(e.events),
                                     ratio(e), self._p(e),
                         self._p(gray[0] if gray else None))  # fmt: skip
                lines.append((f"{self.labels.endpoint(end)}: {self.labels.term(e.stratum or '')}", cells, e.note))
        if not any(NOT_ESTIMABLE not in line[1][2] for line in lines):
            return None
        heads = (
            "Event and factor",
            "n",
            "Events",
            f"Subdistribution hazard ratio ({self.ci})",
            self.p,
            f"{competing_risks.GRAY} {self.p}",
        )
        return self.marked(heads, "fine_gray", "Factors associated with cumulative incidence (Fine-Gray model)", lines)

    def later(self) -> Table | None:
        """Landmark analyses and time-dependent factors."""
        lines: list[tuple[str, tuple[str, ...], str | None]] = []
        for end in self._ends():
            for e in self.look.all("landmark", end, "hazard_ratio"):
                head = f"{self.labels.endpoint(end)}: {self._later(e)} by day {e.at:g}"
                lines.append((head, (f"landmark day {e.at:g}", number_format.count(e.n), number_format.count(e.events),
                                     ratio(e), self._p(e)), e.note))  # fmt: skip
            for e in self.look.all("time_dependent", end, "hazard_ratio"):
                head = f"{self.labels.endpoint(end)}: {self._later(e)}"
                lines.append((head, ("time-dependent", number_format.count(e.n), number_format.count(e.events),
                                     ratio(e),
                                     self._p(e)), e.note))  # fmt: skip
        if not lines:
            return None
        heads = ("Endpoint and factor", "Method", "n", "Events", f"Hazard ratio ({self.ci})", self.p)
        return self.marked(heads, "later", "Landmark and time-dependent analyses of post-infusion factors", lines)

    def _later(self, e: Estimate) -> str:
        return self.labels.own_label(e.term or "") or LABELS.get(e.term or "") or self.labels.term(e.stratum or "")

    def protocols(self, endpoint: str) -> Table | None:
        """Expected outcome under each combination."""
        records = [
            *self.look.all("standardised", endpoint, "proportion"),
            *self.look.all("standardised", endpoint, "rate_at"),
        ]
        lines: list[tuple[str, tuple[str, ...], str | None]] = []
        for group in dict.fromkeys(e.group for e in records):
            of_group = [e for e in records if e.group == group]
            shown = [number_format.share(e) if e.estimate is not None else NOT_ESTIMABLE for e in of_group]
            head = ", ".join(self.labels.group(g) for g in parts_of(group)) if group else "All protocols"
            cells = (number_format.count(of_group[0].n), number_format.count(of_group[0].events), *shown)
            remarks = dict.fromkeys(p for e in of_group for p in (e.note or "").split("; ") if p)
            lines.append((head, (*cells, *[""] * (5 - len(cells))), "; ".join(remarks)))
        if not lines:
            return None
        at = records[0].at
        what = lowered(self.labels.endpoint(endpoint)) + (f" at {number_format.month(at)} months" if at else "")
        heads = (
            "Protocol",
            "Patients",
            "Events",
            f"g-computation ({self.ci})",
            f"Inverse-probability weighting ({self.ci})",
            f"Doubly robust, AIPW ({self.ci})",
        )
        return self.marked(heads, f"protocols_{endpoint}", f"Standardised {what} by protocol", lines)

    def balance(self, endpoint: str) -> Table | None:
        """What the weights behind the standardised outcomes are, and the balance of confounders they reach."""
        lines: list[tuple[str, tuple[str, ...], str | None]] = []
        inner = set()
        for e in self.look.all("standardised", endpoint, protocol_balance.EFFECTIVE):
            where = {"group": e.group, "at": e.at}
            small, large, lowest = (
                self.look.all("standardised", endpoint, s, **where)[0]
                for s in (protocol_balance.SMALLEST, protocol_balance.LARGEST, protocol_balance.LOWEST)
            )
            spread = number_format.limits(*(_decimal(r, 1) for r in (small, large)))
            cells = (number_format.count(e.n), _decimal(e, 1), spread, percent(lowest), "", "")
            lines.append((", ".join(self.labels.group(g) for g in parts_of(e.group)), cells, lowest.note))
            after = {r.stratum: r for r in self.look.all("standardised", endpoint, protocol_balance.AFTER, **where)}
            for r in self.look.all("standardised", endpoint, protocol_balance.BEFORE, **where):
                inner.add(len(lines))
                differences = (_decimal(r, 2), _decimal(after[r.stratum], 2))
                lines.append((self.labels.term(r.stratum or ""), ("", "", "", "", *differences), None))
        if not lines:
            return None
        heads = ("Protocol and confounder", "Patients", "Effective sample size", "Weights, least to greatest",
                 "Least probability of the protocol", "SMD, unweighted", "SMD, weighted")  # fmt: skip
        notes = ("SMD: difference of the mean from that of all patients in their standard deviations; within 0.1 is "
                 "usually called balanced",)  # fmt: skip
        caption = f"Weights and balance by protocol: {lowered(self.labels.endpoint(endpoint))}"
        table = self.marked(heads, f"balance_{endpoint}", caption, lines, notes)
        return replace(table, rows=tuple(replace(row, inner=i in inner) for i, row in enumerate(table.rows)))

    def power(self) -> Table | None:
        """Power and the smallest detectable ratios."""
        rows = []
        method = simulated_inference.METHODS.values()
        for end in self._ends():
            for e in [r for r in self.look.all("power", end, "type_1_error") if r.method in method]:
                effect = effect_of(e)
                where = {**effect, "method": e.method}
                chi = [r for r in self.look.all("power", end, "type_1_error", **effect) if r.method != e.method]
                detectable = [self._detectable(end, side, where) for side in ("below 1", "above 1")]
                three = self.look.all("power", end, "power", group="ratio=3", **where)
                rows.append(
                    Row(
                        f"{self.labels.endpoint(end)}: {self.labels.per_sd(e)}",
                        (
                            str(e.model),
                            number_format.count(e.n),
                            number_format.count(e.events),
                            percent(chi[0] if chi else None),
                            percent(e),
                            percent(three[0] if three else None),
                            *detectable,
                        ),
                    )
                )
        if not rows:
            return None
        heads = ("Endpoint and factor", "Model", "n", "Events", "Type I error, chi-square", "Type I error, simulated",
                 "Power at a ratio of 3", "80% power: ratio below", "80% power: ratio above")  # fmt: skip
        first = next(e for end in self._ends() for e in self.look.all("power", end, "type_1_error"))
        notes = (*(first.note or "").split("; ")[:2], "ratios of quantitative factors are per standard deviation")
        return Table("power", "Power and smallest detectable ratio", heads, tuple(rows), notes)

    def _detectable(self, end: str, side: str, where: Mapping[str, object]) -> str:
        records = self.look.all("power", end, "detectable_ratio", group=side, **where)
        if not records:
            return "–"
        if records[0].estimate is None:
            return f"outside {number_format.printed('0.1')} to 10"
        return number_format.ratio(records[0].estimate)

    def paired(self) -> Iterator[Table]:
        """The infusion before and the index infusion, within patients."""
        index = self.findings.plan.index_infusion
        rows = []
        for end in ("response", "cr"):
            shares = [self.look.one("paired", end, "proportion", group=f"infusion={i}") for i in (index - 1, index)]
            test = next(iter(self.look.all("paired", end, "odds_ratio")), None)
            if all(shares):
                shown = [f"{number_format.of(s)}; {number_format.interval(s)}" for s in shares if s]
                rows.append(Row(self.labels.endpoint(end), (*shown, ratio(test), self._p(test))))
        if rows:
            heads = ("", f"After CART{index - 1} ({self.ci})", f"After CART{index} ({self.ci})",
                     f"Ratio of discordant pairs ({self.ci})", f"Exact McNemar {self.p}")  # fmt: skip
            yield Table("paired_response", "Response to both infusions in the same patients", heads, tuple(rows))
        ratios = self.look.all("paired", "pfs", "growth_modulation_index")
        if ratios and ratios[0].n:
            gmi, over = ratios[0], self.look.all("paired", "pfs", "gmi_at_least")
            cells = (number_format.count(gmi.n), number_format.count(gmi.events),
                     ratio(gmi) if gmi.estimate is not None else "not reached",
                     number_format.share(over[0]) if over else "–")  # fmt: skip
            heads = (
                "",
                "n",
                "Events",
                f"Median ratio ({self.ci})",
                f"Ratio at least {number_format.printed('1.33')} ({self.ci})",
            )
            label = f"{self.labels.endpoint('pfs')} after CART{index} / after CART{index - 1}"
            notes = tuple(x for x in (gmi.note,) if x)
            yield Table("paired_gmi", "Growth modulation index", heads, (Row(label, cells),), notes)


def _decimal(record: Estimate, digits: int) -> str:
    return "–" if record.estimate is None else number_format.printed(f"{record.estimate:.{digits}f}")
