"""Counts as profiles with a rule that is looked at alone, and two protocols in virtual patients under their banner."""

from __future__ import annotations

import re
import time

import pytest
from analysed import to_plan

from reinfuse.runtime import extras


@pytest.fixture
def at(browser):
    page, _ = to_plan(browser)
    folder = page.path.rsplit("/", 1)[0]
    return lambda address: browser.get(f"{folder}/{address}")


def test_each_profile_says_what_it_shows_and_the_limit_is_shaded(at):
    page = at("kinetics?infusion=all")
    labels = re.findall(r'role="img" aria-label="([^"]*)"', page.text)
    assert labels
    assert all(re.match(r"P\d, infusion \d: \d+ counts, \d+ of them below the limit", label) for label in labels)
    assert 'class="below"' in page.text


def test_another_rule_is_shown_here_alone_and_says_so(at):
    planned, other = at("kinetics?infusion=all"), at("kinetics?infusion=all&after=zero")
    assert "another rule than the plan" not in planned.words
    assert "another rule than the plan" in other.words
    assert planned.words != other.words
    assert at("kinetics?after=sometimes").status == 422


def test_two_protocols_stand_under_a_banner_and_what_the_model_misses(at):
    pytest.importorskip("numba", reason="the extra virtual is not installed")
    page = at("virtual?interval-A=99999&cart1-A=<script>&dose1-A=nan")
    assert "Groups, not one patient." in page.words
    from reinfuse.study.virtual_comparison import missed_results

    missed = missed_results()[2]
    assert f"The model misses {len(missed)} published results" in page.words
    assert all(f"{one['result']} {one['published']}" in page.words for one in missed)
    assert re.search(r'name="interval-A"[^>]*value="365"', page.text)
    until = time.monotonic() + 60
    while "data-poll" in (answer := at("virtual/outcomes?interval-A=365")).text:
        assert time.monotonic() < until
    assert re.search(r"Response \d+% \(\d+ to \d+\)", answer.words)
    assert at("virtual/protocols?interval-A=365").text.count("after_days = 365.0") == 1


def test_without_its_libraries_the_screen_says_what_installs_them(at, monkeypatch):
    monkeypatch.setattr(extras, "_present", lambda name: name != "numba")
    page = at("virtual")
    assert page.status == 200
    assert "(numba; the extra" in page.words
    assert "pip install" in page.words
