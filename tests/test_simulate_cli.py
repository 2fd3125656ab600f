"""`reinfuse virtual`: what it prints and writes, and what it refuses."""

import html
import json
import re
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from reinfuse.cli.main import app
from reinfuse.cli.simulate import OLD_NAMES
from reinfuse.exceptions import PlanRefused
from reinfuse.simulation.calibration.posterior_checks import agreement, bundled_targets
from reinfuse.simulation.model.model_description import markdown
from reinfuse.simulation.model.parameters import PARAMETERS, STATES
from reinfuse.simulation.trial.trial_results import card

runner = CliRunner()
PROTOCOLS = """
title = "Two arms"
follow_days = 183
[grid]
regimens = [["Cy", "Cy-Flu"]]
cart2_dose_cells_per_kg = [2e6, 2e7]
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("virtual")
    (folder / "p.toml").write_text(PROTOCOLS)
    result = runner.invoke(
        app, ["virtual", "trial", str(folder / "p.toml"), "--patients", "600", "--out", str(folder / "out")]
    )
    assert result.exit_code == 0, result.output
    assert "not validated for individual patients" in result.output
    return folder / "out"


def test_a_trial_writes_report_numbers_and_figures(out):
    assert {p.name for p in out.iterdir()} == {
        "report.html", "report.pdf", "findings.json", "estimates.csv", "curves.csv", "courses.csv", "figures",
        "reinfuse.manifest.json",
    }  # fmt: skip
    names = {p.stem for p in (out / "figures").glob("*.svg")}
    assert names == {"virtual_heat", "virtual_pfs", "virtual_persistence", "virtual_courses", "virtual_contrasts",
                     "virtual_reasons", "virtual_ablation"}  # fmt: skip
    findings = json.loads((out / "findings.json").read_text())
    assert findings["provenance"]["card"] == list(card())
    assert agreement(bundled_targets()) == card()[-1]
    frame = pl.read_csv(out / "estimates.csv", infer_schema_length=None)
    assert frame.height == len(findings["estimates"])
    assert set(frame["analysis"]) == {"virtual", "virtual_reasons"}


def test_the_report_says_what_it_is_and_loads_nothing(out):
    text = (out / "report.html").read_text()
    assert "not validated for individual patients" in text
    for line in card():
        assert html.escape(line, quote=True).replace("&#x27;", "&#39;") in text
    assert not re.search(r"(src|href)=[\"']https?:", text)


def test_shares_of_the_report_are_those_of_the_records(out):
    records = json.loads((out / "findings.json").read_text())["estimates"]
    text = (out / "report.html").read_text()
    for record in records:
        if (
            record["endpoint"] in ("response", "cr")
            and record["statistic"] == "proportion"
            and record["analysis"] == "virtual"
        ):
            cell = f"{100 * record['estimate']:.0f}% ({100 * record['lower']:.0f} to {100 * record['upper']:.0f})"
            assert cell in text


def test_the_same_seed_gives_the_same_numbers(out, tmp_path):
    (tmp_path / "p.toml").write_text(PROTOCOLS)
    again = [
        "virtual",
        "trial",
        str(tmp_path / "p.toml"),
        "--patients",
        "600",
        "--out",
        str(tmp_path / "again"),
        "--resume",
    ]
    runner.invoke(app, again)
    assert (tmp_path / "again" / "estimates.csv").read_text() == (out / "estimates.csv").read_text()
    assert not list(tmp_path.glob(".*blocks"))


def test_bad_protocols_are_refused_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    from reinfuse.cli import main as cli

    (tmp_path / "p.toml").write_text("follow_days = 3\n[grid]\nregimens = [['Cy', 'x']]\ncart2_dose_cells_per_kg = [0]")
    monkeypatch.setattr(
        "sys.argv", ["reinfuse", "virtual", "trial", str(tmp_path / "p.toml"), "--out", str(tmp_path / "o")]
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("ERROR") == 3
    assert not (tmp_path / "o").exists()


def test_parameters_are_printed_in_every_form():
    model = json.loads(runner.invoke(app, ["virtual", "parameters", "--json"]).output)
    assert [p["name"] for p in model["parameters"]] == [p.name for p in PARAMETERS]
    assert [s["equation"] for s in model["states"]] == [s.equation for s in STATES]
    plain = runner.invoke(app, ["virtual", "parameters"]).output
    assert all(p.name in plain for p in PARAMETERS)
    words = plain.split()
    assert all(word in words for s in STATES for word in s.equation.split())  # brackets are no mark-up


def test_the_documentation_holds_the_declared_model():
    docs = Path(__file__).resolve().parents[1] / "docs" / "virtual.md"
    assert docs.read_text().endswith(markdown()), "run: reinfuse virtual parameters --markdown"
    assert runner.invoke(app, ["virtual", "parameters", "--markdown"]).output == markdown()


@pytest.mark.parametrize(("given", "message"), [
    (["--cluster", "tcp://192.0.2.1:8786"], "can run code on this one"),
    (["--cluster", "tls://192.0.2.1:8786"], "--tls-ca, --tls-cert, --tls-key"),
    (["--tls-ca", "ca.pem"], "go with --cluster"),
    (["--insecure-cluster"], "go with --cluster"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["trial", "search"])
def test_clusters_that_cannot_be_trusted_are_refused(tmp_path, monkeypatch, capsys, command, given, message):
    from reinfuse.cli import main as cli

    monkeypatch.setattr("sys.argv", ["reinfuse", "virtual", command, *given, "--out", str(tmp_path / "o")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "o").exists()


def test_a_short_follow_up_leaves_outcomes_out_and_says_so(tmp_path):
    (tmp_path / "p.toml").write_text(PROTOCOLS.replace("183", "56"))
    command = ["virtual", "trial", str(tmp_path / "p.toml"), "--patients", "200", "--out", str(tmp_path / "o")]
    result = runner.invoke(app, command)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "o" / "report.html").read_text()
    assert "PFS at 6 months: left out: it is read on day 182.6, and the follow-up ends on day 56" in text
    findings = json.loads((tmp_path / "o" / "findings.json").read_text())
    assert {w["about"] for w in findings["warnings"]} >= {"follow-up"}
    assert all(e["estimate"] is None for e in findings["estimates"] if e["endpoint"] == "seen_day180")


def test_former_option_names_are_taken_and_not_shown(tmp_path):
    shown = runner.invoke(app, ["virtual", "search", "--help"]).output
    for former, name in OLD_NAMES.items():
        assert f"--{name} " in shown
        assert f"--{former} " not in shown
    former = ["--most-crs", "2", "--sure", "3", "--cart1-too", "--limit", "interval_days:60:90"]
    refused = runner.invoke(app, ["virtual", "search", *former, "--out", str(tmp_path / "o")]).exception
    assert isinstance(refused, PlanRefused)
    assert [(p.column, p.value) for p in refused.problems] == [
        ("max_crs_rate", "2"), ("probability", "3"), ("interval_days", "60 to 90")]  # fmt: skip
    assert "where CART1 is searched too" in refused.problems[-1].rule
