"""Texts that know their parts: through pickles, files and copies, whatever their levels hold."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest

from reinfuse.cohort.strata import Combination, Stratum, as_parts, factor_of, from_parts, level_of, parts_of
from reinfuse.results.estimate import Estimate

SEX = Stratum("sex", "F")


@pytest.mark.parametrize(("one", "text", "factor", "level"), [
    (SEX, "sex=F", "sex", "F"),
    (Stratum("excluded", "no dose: missing"), "excluded=no dose: missing", "excluded", "no dose: missing"),
    (Stratum.at_least("CRS", 3), "CRS=>=3", "CRS", ">=3"),
    (Stratum("Sex (1=male)", "1"), "Sex (1=male)=1", "Sex (1=male)", "1"),
    (Stratum("histology", ">=2 a=b"), "histology=>=2 a=b", "histology", ">=2 a=b"),
])  # fmt: skip
def test_a_stratum_is_its_text_and_knows_its_parts(one, text, factor, level):
    read = from_parts(json.loads(json.dumps(as_parts([one]))))[text]
    for same in (one, pickle.loads(pickle.dumps(one)), read):
        assert (same, factor_of(same), level_of(same)) == (text, factor, level)
        record = Estimate("response", None, "count", term=same)
        assert (record.term, record.level, record.stratum) == (factor, level, text)
        assert Estimate.of(json.loads(json.dumps(record.as_dict())), {}) == record
    assert json.dumps(one) == json.dumps(text)


def test_a_combination_keeps_its_parts():
    both = Combination((Stratum("a, b", "yes"), Stratum("c", "no")))
    model = Combination(("a", "b"), " + ")
    assert (both, model) == ("a, b=yes, c=no", "a + b")
    read = from_parts(json.loads(json.dumps(as_parts([both, model, "age_years", None]))))
    assert list(read) == [both, model]
    for one in (both, model):
        for same in (pickle.loads(pickle.dumps(one)), read[one]):
            assert parts_of(same) == parts_of(one)
    assert [factor_of(part) for part in parts_of(read[both])] == ["a, b", "c"]
    assert (parts_of("age_years"), parts_of(None)) == (("age_years",), ())


def test_a_level_stays_with_its_term():
    record = Estimate("baseline", None, "count", term=SEX)
    assert (replace(record, n=3).term, replace(record, n=3).level) == ("sex", "F")
    assert Estimate("baseline", None, "median", term="age_years").stratum == "age_years"


def test_a_column_named_as_a_level_is_none():
    """A sheet may hold a column `sex=F` beside `sex`: read back, its records are its own."""
    column, level = (Estimate("association", "os", "hazard_ratio", term=t, group=SEX) for t in ("sex=F", SEX))
    assert column != level
    for one in (column, level):
        read = Estimate.of(json.loads(json.dumps(one.as_dict())), from_parts(as_parts([SEX])))
        assert (read, read.term, read.level) == (one, one.term, one.level)


def test_records_of_a_study_hold_no_packed_term(demo_findings):
    factors = {f.name for f in demo_findings.described.factors}
    for e in demo_findings.estimates:
        assert type(e.term) in (str, Combination, type(None))
        assert "=" not in (e.term or ""), e
        assert e.term is not None or e.level is None
        for text in (e.group, e.population):
            assert "=" not in (text or "") or isinstance(text, Stratum | Combination), text
    assert {e.term for e in demo_findings.estimates if e.level is not None} & factors
    by_infusion = {(e.level, e.infusion) for e in demo_findings.estimates if e.term == "infusion"}
    assert by_infusion == {("1", 1), ("2", 2)}
    assert {e.infusion for e in demo_findings.estimates if factor_of(e.group) == "infusion"} == {1, 2}
