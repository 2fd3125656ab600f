"""The command line of ensembles: `reinfuse virtual validate` and `reinfuse virtual calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reinfuse.cli import console
from reinfuse.cli.console import ForceOption, progress_bar
from reinfuse.cli.simulate import MOST_PATIENTS, EnsembleOption, SeedOption

if TYPE_CHECKING:
    from reinfuse.study.virtual_ensembles import Agreement, Validation

_YES_NO = {True: "yes", False: "no", None: "-"}
_WIDTH = 150


def validate(
    ensemble: EnsembleOption = None,
    *,
    patients: Annotated[
        int | None, typer.Option("--patients", min=100, max=MOST_PATIENTS, help="Virtual patients of each population.")
    ] = None,
    seed: SeedOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the published results beside an ensemble, those held out apart, and how many it meets."""
    from reinfuse.study.virtual_ensembles import validate as validate_ensemble
    from reinfuse.study.virtual_trial import DISCLAIMER

    with progress_bar() as progress:
        result = validate_ensemble(ensemble, patients=patients, seed=seed, progress=progress)
    if json:
        console.echo_json(result.as_dict())
        return
    _print_validation(result)
    typer.echo("Met: the published value lies in the predictive 95 % range, and the median within its error.")
    typer.echo(DISCLAIMER)


def calibrate(
    targets: Annotated[Path, typer.Argument(help="A centre's own group results (CSV).")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("reinfuse-ensemble"),
    populations: Annotated[
        int, typer.Option("--populations", min=100, max=100_000, help="Populations to simulate.")
    ] = 3000,
    patients: Annotated[
        int, typer.Option("--patients", min=64, max=100_000, help="Virtual patients of each population.")
    ] = 704,
    members: Annotated[int, typer.Option("--members", min=2, max=1000, help="Populations of the ensemble.")] = 200,
    seed: SeedOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what is simulated; resume an interrupted calibration from it.")
    ] = False,
    force: ForceOption = False,
) -> None:
    """Calibrate the ensemble to published results and a centre's own; write it, and which results it meets."""
    place = console.writable(out, "virtual calibrate", targets, force=force)
    from reinfuse.study.virtual_ensembles import calibration_effort, run_calibration
    from reinfuse.study.virtual_trial import DISCLAIMER

    with progress_bar() as progress:
        result = run_calibration(targets, place=place, effort=calibration_effort(populations, patients),
                                 members=members, seed=seed, resume=resume, progress=progress)  # fmt: skip
    for name, before, after in (("The centre's results", result.before, result.after),
                                ("Published results", result.published_before, result.published_after)):  # fmt: skip
        for role, one, other in (("calibrated", before.development, after.development),
                                 ("held out", before.held_out, after.held_out)):  # fmt: skip
            if other.of:
                console.say(f"{name}, {role}: {other.met} of {other.of} met; by the bundled ensemble {one.met}.")
    console.say(f"{result.simulated} populations simulated; {result.distinct} of {result.members} members differ.")
    console.say(DISCLAIMER)
    console.say(f"Written: {(out / 'ensemble.csv').resolve()}")


def _print_validation(result: Validation) -> None:
    from rich.table import Table

    for title, held, counts in (("Development", False, result.development), ("Held out", True, result.held_out)):
        if not counts.of:
            continue
        table = Table(title=f"{title}: {_sentence(counts)}")
        for k, head in enumerate(("Result", "n", "Published", "Median", "Predictive 95 %", "In range", "Within error",
                                  "Met", "Interval score", "Without a model")):  # fmt: skip
            table.add_column(head, justify="left" if k == 0 else "right", overflow="fold")
        for row in result.table.iter_rows(named=True):
            if (row["role"] == "held out") == held:
                table.add_row(*_cells(row))
        console.print_table(table, _WIDTH)


def _sentence(counts: Agreement) -> str:
    ranges = f"{counts.in_range} of {counts.sized} values in range"
    return (f"{counts.met} of {counts.of} met; {ranges}, {counts.within_error} of {counts.of} medians within the error "
            f"({counts.within_sampling_error} of {counts.sized} by the sampling error alone)")  # fmt: skip


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    sized = row["published"] is not None
    limits = f"{row['predictive_low']:.3g} to {row['predictive_high']:.3g}" if sized else ""
    scores = (row["interval_score"], row["reference_interval_score"])
    return (row["target"], str(row["n"]), f"{row['published']:.3g}" if sized else "better", f"{row['simulated']:.3g}",
            limits, _YES_NO[row["in_range"]], _YES_NO[row["within_error"]], _YES_NO[row["met"]],
            *("" if s is None else f"{s:.2f}" for s in scores))  # fmt: skip
