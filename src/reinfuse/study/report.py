"""The report of findings, table by table and figure by figure, for a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from reinfuse.analyses.curve_numbers import figure_name
from reinfuse.plan.report_options import Summary
from reinfuse.report.document.model import Table
from reinfuse.report.export import single_figure
from reinfuse.report.export.notebook import main_tables
from reinfuse.report.figures.theme import Columns
from reinfuse.report.notebook.inline import InlineText, Requests, Unit
from reinfuse.report.notebook.shown_figure import ShownFigure
from reinfuse.report.notebook.shown_table import ShownTable
from reinfuse.report.sections.contents import documents
from reinfuse.report.sections.study_sections import facts_of, synthetic_banner
from reinfuse.report.tables.regression import regression
from reinfuse.report.tables.study_tables import StudyTables
from reinfuse.report.text.journal_style import printed_as
from reinfuse.report.text.labels import with_own_labels
from reinfuse.results.estimate import Estimate
from reinfuse.results.findings import Findings
from reinfuse.study.drawings import drawing_of
from reinfuse.study.requests import among, endpoint_of, estimated, refused, with_group
from reinfuse.study.results import save
from reinfuse.study.table_of_patients import for_table_of_patients

Wanted = Callable[[Estimate], bool]


class Report:
    """Tables, figures and sentences of findings, one by one.

    Every number is a record of the findings; where a table or a figure by groups is asked for that they do not hold, it
    is estimated from the same patients, by the same plan.

    Parameters
    ----------
    findings
        From `analyze`, or `Findings.load` of a folder of results.
    **look
        How it looks: settings of a plan's `[report]` (docs/plan.md) in place of the plan's, such as
        ``journal="NEJM"``, ``labels={"pfs": "PFS"}``, ``digits={"ratio": 1}``. No number changes.

    Raises
    ------
    RequestRefused
        If what is given are no findings.
    PlanRefused
        If there is no such setting, or it cannot be followed.

    Examples
    --------
    >>> import reinfuse
    >>> report = reinfuse.Report(reinfuse.analyze("sheet.csv", "plan.toml"))
    >>> report.table1(by="diagnosis").save("table1.docx").name
    'table1.docx'
    >>> report.km("pfs", by="cart1_cy_flu").save("figure1.pdf").name
    'figure1.pdf'
    >>> report.inline("median pfs")
    '279.5 days (95% CI 65 to not reached; n = 14, 9 events)'
    """

    def __init__(self, findings: Findings, **look: Any) -> None:
        if not isinstance(findings, Findings):
            rule = f"is of type {type(findings).__name__}, not the findings of an analysis"
            raise refused("Report", "findings", "", rule=rule,
                          remedy="give what analyze(cohort, plan) returns")  # fmt: skip
        self._planned = findings.plan.report.figure_style
        if look:
            findings = replace(findings, plan=findings.plan.replace(report={**dict(findings.plan.report), **look}))
        self.findings = findings

    # Tables

    def table1(
        self, by: str | None = None, *, variables: Sequence[str] | None = None, overall: bool | None = None,
        numbers: Summary | None = None, statistics: Mapping[str, Summary] | None = None,
        missing: Literal["always", "if any", "never"] | None = None, smd: bool | None = None, p: bool | None = None,
    ) -> ShownTable:  # fmt: skip
        """Return the characteristics of the patients at the index infusion.

        Parameters
        ----------
        by
            A factor, or another column known at baseline, whose levels are columns beside all patients; default: the
            subgroups of the plan, as in the report.
        variables, overall, numbers, statistics, missing, smd, p
            As in the plan's `[report.table1]` (docs/plan.md), in place of what the plan says: what is described and in
            which order; a column of all patients; how numbers are summed up, and some otherwise; rows of missing
            values; columns of standardised differences and of tests.

        Raises
        ------
        RequestRefused
            If patients cannot be divided so, or a setting cannot be followed.
        """
        findings = for_table_of_patients(self.findings, by, variables=variables, overall=overall, numbers=numbers,
                                         statistics=statistics, missing=missing, smd=smd, p=p)  # fmt: skip
        with printed_as(findings.plan.report):
            table = StudyTables(with_own_labels(findings)).baseline()
        return self._table(table, lambda e: e.analysis == "baseline", findings=findings)

    def regression(self, endpoint: str) -> ShownTable:
        """Return the effects of all factors on an endpoint, univariable and multivariable side by side.

        Parameters
        ----------
        endpoint
            Such as ``pfs`` or ``response``.

        Raises
        ------
        RequestRefused
            If there is no such endpoint, or no effect on it was estimated.
        """
        end = endpoint_of(self.findings, endpoint, what="regression")
        tables = StudyTables(with_own_labels(self.findings))
        with printed_as(self.findings.plan.report):
            table = regression(tables, endpoint)
        if table is None:
            estimated = [e.name for e in self.findings.described.endpoints if tables.effects(e.name)]
            rule = f"no effect on {end.label} was estimated"
            raise refused("regression", "endpoint", endpoint, rule=rule, remedy=among(estimated, name=endpoint))
        return self._table(table, lambda e: e.analysis == "association" and e.endpoint == endpoint)

    @cached_property
    def tables(self) -> list[str]:
        """Names of the tables of report and supplement; `table` returns one."""
        return list(self._tables)

    def table(self, name: str) -> ShownTable:
        """Return a table of report or supplement.

        Parameters
        ----------
        name
            One of `tables`.

        Raises
        ------
        RequestRefused
            If there is none of this name.
        """
        if name not in self._tables:
            remedy = among(self._tables, name=name)
            raise refused("table", "name", name, rule=f"{name!r} is no table of this report", remedy=remedy)
        analysis, _, endpoint = name.partition("_")
        ends = {e.name for e in self.findings.described.endpoints}
        return self._table(self._tables[name], lambda e: e.analysis == analysis
                           and (endpoint not in ends or e.endpoint == endpoint))  # fmt: skip

    @cached_property
    def _tables(self) -> dict[str, Table]:
        blocks = (block for document in documents(self.findings, ()).values() for block in document.blocks())
        return {block.name: block for block in blocks if isinstance(block, Table)}

    def _table(self, table: Table, wanted: Wanted, *, findings: Findings | None = None) -> ShownTable:
        records = [e for e in (findings or self.findings).estimates if wanted(e)]
        return ShownTable(table, records, self._banners, self._facts, self.findings.reads)

    # Figures

    def km(self, endpoint: str, by: str | None = None, *, columns: Columns = 1) -> ShownFigure:
        """Draw Kaplan-Meier curves, with medians and numbers at risk.

        Parameters
        ----------
        endpoint
            A time to event, such as ``pfs``.
        by
            A factor, or another column known at baseline, whose levels are the curves; with the log-rank test.
        columns
            Columns of a journal's page that it spans.

        Raises
        ------
        RequestRefused
            If there is no such endpoint, or patients cannot be divided so.
        """
        endpoint_of(self.findings, endpoint, what="km", timed=True)
        findings = self.findings
        plan, group = (findings.plan, None) if by is None else with_group(findings, by, what="km")
        style = plan.report.figure_style
        if plan is not findings.plan or (style.adds_records and style != self._planned):
            findings = estimated(findings, plan, "survival", what="km", by=by)
        return self._figure(figure_name(endpoint, group), "km", findings=findings, columns=columns)

    def forest(self, endpoint: str, *, columns: Columns = 2) -> ShownFigure:
        """Draw the effects of all factors on an endpoint.

        Parameters
        ----------
        endpoint
            Such as ``pfs`` or ``response``.
        columns
            Columns of a journal's page that it spans.

        Raises
        ------
        RequestRefused
            If there is no such endpoint, or no effect on it was estimated.
        """
        endpoint_of(self.findings, endpoint, what="forest")
        return self._figure(f"forest_{endpoint}", "forest", columns=columns)

    def swimmer(self, *, columns: Columns = 2) -> ShownFigure:
        """Draw the course of each patient.

        Parameters
        ----------
        columns
            Columns of a journal's page that it spans.

        Raises
        ------
        RequestRefused
            If there are too many patients for one figure, or the findings were read back and hold none.
        """
        return self._figure("swimmer", "swimmer", columns=columns)

    @cached_property
    def figures(self) -> list[str]:
        """Names of the figures of report and supplement; `figure` returns one. The first look draws them all."""
        return single_figure.names(self.findings)

    def figure(self, name: str, *, columns: Columns | None = None) -> ShownFigure:
        """Draw a figure of report or supplement.

        Parameters
        ----------
        name
            One of `figures`.
        columns
            Columns of a journal's page that it spans; default: what suits it.

        Raises
        ------
        RequestRefused
            If there is none of this name, or nothing to draw.
        """
        return self._figure(name, "figure", columns=columns)

    def _figure(
        self, name: str, what: str, *, columns: Columns | None, findings: Findings | None = None
    ) -> ShownFigure:
        drawn = drawing_of(findings or self.findings, name, columns=columns, what=what)
        return ShownFigure(drawn, self._banners, self._facts, self.findings.reads)

    # Sentences

    def inline(self, request: str, *, unit: Unit = "days") -> InlineText:
        """Return a number as a sentence holds it, with its record.

        Parameters
        ----------
        request
            What is meant, in words: statistic, endpoint, and where it belongs to one the group, factor and model.
            ``median pfs``, ``pfs at 12 months diagnosis=CLL``, ``response``,
            ``hazard ratio pfs cart1_cy_flu multivariable``, ``p pfs cart1_cy_flu univariable``.
        unit
            Of times: ``days`` or ``months``.

        Returns
        -------
        InlineText
            A text; its `record` is the record behind it.

        Raises
        ------
        RequestRefused
            If no number is meant, or more than one, with the requests that are nearest.
        """
        with printed_as(self.findings.plan.report):
            return self._requests.text(request, unit=unit)

    @cached_property
    def _requests(self) -> Requests:
        return Requests(with_own_labels(self.findings))

    # The whole

    def save(self, directory: str | Path, *, force: bool = False) -> Path:
        """Write the whole report and all results into a folder, as `reinfuse.save` does.

        Parameters
        ----------
        directory
            The folder: new, empty, or with the results of an earlier analysis, which are replaced.
        force
            Move a folder with other files aside.

        Raises
        ------
        OutputRefused
            If the folder cannot be written.
        """
        return save(self.findings, directory, force=force)

    @property
    def _banners(self) -> tuple[str, ...]:
        return synthetic_banner(self.findings.provenance)

    @property
    def _facts(self) -> dict[str, str]:
        return facts_of(self.findings.provenance)

    def _repr_html_(self) -> str:
        return str(main_tables(self.findings))

    def __repr__(self) -> str:
        return repr(self.findings).replace("Findings", "Report", 1)
