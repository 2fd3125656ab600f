"""One centre's patients in the coding of the study, and what keeps them from being pooled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import polars as pl

from reinfuse.arrays import Bools, Floats, Integers
from reinfuse.cohort.analysis_set import ID, AnalysisSet
from reinfuse.cohort.endpoints import EndpointColumn
from reinfuse.cohort.factors import FactorColumn
from reinfuse.cohort.schema import WIDE
from reinfuse.exceptions import CohortRefused, Problem
from reinfuse.pooling.pooled_model import PooledModel
from reinfuse.pooling.pooled_study import PooledStudy
from reinfuse.pooling.study_patients import with_values

FEWEST_PATIENTS, FEWEST_EVENTS, PATIENTS_A_COEFFICIENT = 5, 3, 3


@dataclass(frozen=True)
class CentreData:
    """The analysed patients of a centre.

    Attributes
    ----------
    columns
        Factor -> design columns, shape (patients, terms), NaN where missing; numbers shifted and scaled as all agreed.
    groups
        Factor with levels -> place of each patient's level, -1 where missing.
    values
        Factor that is a number -> values in its unit, NaN where missing.
    """

    study: PooledStudy
    data: AnalysisSet = field(repr=False)
    columns: dict[str, Floats] = field(repr=False)
    groups: dict[str, Integers] = field(repr=False)
    values: dict[str, Floats] = field(repr=False)

    @classmethod
    def of(cls, study: PooledStudy, data: AnalysisSet) -> CentreData:
        """Code the patients as the study says.

        Raises
        ------
        CohortRefused
            With every factor and endpoint that is lacking, or coded otherwise here.
        """
        data = with_values(data, study.leave_out_missing)
        problems: list[Problem] = []
        columns, groups, values = {}, {}, {}
        for name in study.factors:
            factor, levels = data.factor(name), study.levels_of(name)
            if factor is None:
                rule = f"factor {name} is not in this cohort"
                problems.append(Problem(column=name, rule=rule, remedy="add its columns"))
            elif levels:
                groups[factor.name], wrong = _grouped(factor, levels)
                problems += wrong
                columns[factor.name] = _coded(groups[factor.name], len(levels))
            else:
                values[factor.name], wrong = _measured(factor, study)
                problems += wrong
                measurement = study.measurement_of(factor.name)
                assert measurement is not None
                columns[factor.name] = ((values[factor.name] - measurement.middle) / measurement.quarter)[:, None]
        for name in study.endpoints:
            end = data.endpoint(name)
            if end is None or not end.known.any():
                rule = f"endpoint {name} is not in this cohort"
                problems.append(Problem(column=name, rule=rule, remedy="add its columns, or ask for another study"))
        if problems:
            raise CohortRefused(problems)
        return cls(study, data, columns, groups, values)

    def endpoint(self, name: str) -> EndpointColumn:
        """Return an endpoint of the study."""
        end = self.data.endpoint(name)
        assert end is not None
        return end

    def complete(self, model: PooledModel) -> Bools:
        """Tell in which patients the endpoint and every factor of a model are known."""
        missing = np.zeros(self.data.frame.height, dtype=np.bool_)
        for factor in model.factors:
            missing |= np.isnan(self.columns[factor]).any(axis=1)
        return self.endpoint(model.endpoint).known & ~missing

    def design(self, model: PooledModel) -> Floats:
        """Return the columns of a model, all patients in it: those of its factors, then the products of its pair."""
        columns = [self.columns[factor] for factor in model.factors]
        return np.column_stack([*columns, *products_of([self.columns[factor] for factor in model.pair])])

    def withheld(self) -> dict[str, str]:
        """Return endpoints and models of which this centre may tell nothing, with the reason."""
        reasons: dict[str, str] = {}
        for name in self.study.endpoints:
            end = self.endpoint(name)
            if why := too_few(end.event[end.known]):
                reasons[name] = why
        for model in self.study.models:
            event = self.endpoint(model.endpoint).event[self.complete(model)]
            k = self.study.size(model)
            why = reasons.get(model.endpoint) or too_few(event)
            if not why and PATIENTS_A_COEFFICIENT * k > len(event):
                why = f"{len(event)} patients for {k} coefficients, fewer than {PATIENTS_A_COEFFICIENT} each"
            if why:
                reasons[model.key] = why
        return reasons

    def standard_rows(self) -> dict[str, str]:
        """Return what is known of each patient under standard names, by identifier: whatever the study."""
        frame = self.data.frame
        standard = frame.select(sorted(c for c in frame.columns if c in WIDE.names))
        return {str(i): repr(row) for i, row in zip(frame[ID].to_list(), standard.rows(), strict=True)}

    def used_values(self) -> bytes:
        """Return all that the study uses of the patients, with their identifiers, as one text of bytes."""
        ends = [self.endpoint(name) for name in self.study.endpoints]
        parts = [*(e.event for e in ends), *(e.time for e in ends if e.time is not None), *self.columns.values()]
        rows = np.column_stack(parts).astype("<f8")
        rows[np.isnan(rows)] = np.nan
        return "\n".join(map(str, self.data.frame[ID].to_list())).encode() + b"\0" + rows.tobytes()


def products_of(pair: Sequence[Floats]) -> list[Floats]:
    """Return the products of the columns of one factor with those of another; of no pair, none."""
    return [a * b for a, b in product(*(columns.T for columns in pair))] if pair else []


def too_few(event: Floats) -> str | None:
    """Return why nothing may be told of an endpoint in so few patients, or None."""
    n, events = len(event), int(event.sum())
    for number, least, what in ((n, FEWEST_PATIENTS, "patients"), (events, FEWEST_EVENTS, "events"),
                                (n - events, FEWEST_EVENTS, "patients without the event")):  # fmt: skip
        if number < least:
            return f"fewer than {least} {what}"
    return None


def _grouped(factor: FactorColumn, levels: tuple[str, ...]) -> tuple[Integers, list[Problem]]:
    """Return the place of each patient's level."""
    values = factor.unscaled.to_list()
    place = {value: levels.index(text) if (text := _as_text(value)) in levels else -1 for value in {*values} - {None}}
    strange = sorted({_as_text(value) for value, i in place.items() if i < 0})
    problems = [
        Problem(column=factor.name, value=", ".join(strange),
                rule=f"factor {factor.name} has {len(strange)} values that are no level of the study",
                remedy=f"name them as the study does: {', '.join(levels)}")
    ] if strange else []  # fmt: skip
    return np.array([place.get(value, -1) for value in values], dtype=np.int64), problems


def _as_text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _coded(group: Integers, levels: int) -> Floats:
    coded = (group[:, None] == np.arange(1, levels)).astype(np.float64)
    coded[group < 0] = np.nan
    return np.asarray(coded, dtype=np.float64)


def _measured(factor: FactorColumn, study: PooledStudy) -> tuple[Floats, list[Problem]]:
    """Return the values of a number, and whether they can be in the unit of the study."""
    measurement = study.measurement_of(factor.name)
    assert measurement is not None
    if factor.kind != "number":
        rule = f"factor {factor.name} holds categories here, and is a number in the study ({measurement.unit})"
        nothing = np.full(len(factor.values), np.nan)
        return nothing, [Problem(column=factor.name, rule=rule, remedy="correct the column")]
    values = factor.unscaled.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    outside = int(((values < measurement.lowest) | (values > measurement.highest)).sum())
    if not outside:
        return values, []
    rule = (f"factor {factor.name} has {outside} values outside {measurement.lowest:g} to {measurement.highest:g} "
            f"{measurement.unit}: perhaps it is in another unit here")  # fmt: skip
    return values, [Problem(column=factor.name, rule=rule, remedy=f"give it in {measurement.unit}, or mend the values")]


def explained(study: PooledStudy, withheld: dict[str, str]) -> Iterator[str]:
    """Yield in words what is withheld: an endpoint once, not again for each of its models."""
    for key, why in withheld.items():
        model = next((m for m in study.models if m.key == key), None)
        if model is None or model.endpoint not in withheld:
            yield f"{key}: {why}"
