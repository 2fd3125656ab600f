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
    (Stratum("excluded", "no dose: missing", ": "), "excluded: no dose: missing", "excluded", "no dose: missing"),
    (Stratum.at_least("CRS", 3), "CRS>=3", "CRS", ">=3"),
    (Stratum("Sex (1=male)", "1"), "Sex (1=male)=1", "Sex (1=male)", "1"),
    (Stratum("histology", ">=2 a=b"), "histology=>=2 a=b", "histology", ">=2 a=b"),
])  # fmt: skip
def test_a_stratum_is_its_text_and_knows_its_parts(one, text, factor, level):
    read = from_parts(json.loads(json.dumps(as_parts([one]))))[text]
    for same in (one, pickle.loads(pickle.dumps(one)), read):
        assert (same, factor_of(same), level_of(same)) == (text, factor, level)
        assert Estimate("response", None, "count", term=same).level == level
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


def test_a_level_follows_the_term_of_a_record():
    record = Estimate("baseline", None, "count", term=SEX)
    assert replace(record, n=3).level == "F"
    assert replace(record, term="age_years").level is None


def test_every_record_of_a_study_has_the_parts_of_its_packed_texts(demo_findings):
    for e in demo_findings.estimates:
        for text in (e.term, e.group, e.population):
            assert "=" not in (text or "") or isinstance(text, Stratum | Combination), text
        assert e.level == (level_of(e.term) or None)
    by_infusion = {e.term: e.infusion for e in demo_findings.estimates if factor_of(e.term) == "infusion"}
    assert by_infusion == {"infusion=1": 1, "infusion=2": 2}
    assert {e.infusion for e in demo_findings.estimates if factor_of(e.group) == "infusion"} == {1, 2}
