"""The command line of virtual patients: `reinfuse virtual ...`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reinfuse.cli import console
from reinfuse.cli.console import ForceOption, progress_bar
from reinfuse.runtime import signals

if TYPE_CHECKING:
    from reinfuse.simulation.trial.protocol import Protocols
    from reinfuse.simulation.trial.trial import Runner

virtual = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    help="Virtual patients: a model, calibrated to groups, not validated for one patient.",
)  # fmt: skip
MOST_PATIENTS = 10_000_000
SAID = "A model, calibrated to results of groups; not validated for one patient, and no advice on one."
ProtocolsArgument = Annotated[Path | None, typer.Argument(help="Protocols (TOML); default: nine bundled ones.")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for the results.")]
PatientsOption = Annotated[
    int, typer.Option("--patients", min=100, max=MOST_PATIENTS, help="Virtual patients, each in every arm.")
]
ClusterOption = Annotated[str | None, typer.Option("--cluster", help="Address of a Dask cluster (tcp://, tls://).")]
TlsCaOption = Annotated[Path | None, typer.Option("--tls-ca", help="Certificate authority of a tls:// cluster (PEM).")]
TlsCertOption = Annotated[Path | None, typer.Option("--tls-cert", help="Own certificate for it (PEM).")]
TlsKeyOption = Annotated[Path | None, typer.Option("--tls-key", help="Key of that certificate (PEM).")]
InsecureOption = Annotated[
    bool, typer.Option("--insecure-cluster", help="Use a cluster on other machines without TLS.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, max=2**32 - 1, help="Of the virtual patients.")]


@virtual.command()
def parameters(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
               markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False) -> None:  # fmt: skip
    """Print the model: states, equations, parameters with priors and sources."""
    from reinfuse.simulation.model import model_description as told

    if json:
        console.echo_json(told.as_dict())
    elif markdown:
        typer.echo(told.markdown(), nl=False)
    else:
        _print_tables(told.as_dict())


@virtual.command()
def trial(
    protocols: ProtocolsArgument = None,
    patients: PatientsOption = 10_000,
    out: OutOption = Path("reinfuse-virtual"),
    seed: SeedOption = None,
    cluster: ClusterOption = None,
    cohort: Annotated[Path | None, typer.Option("--cohort", help="A centre's cohort: its twins too.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep finished work; go on with it.")] = False,
    force: ForceOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    insecure_cluster: InsecureOption = False,
) -> None:
    """Compare protocols in virtual patients, and write report, findings and figures."""
    place = console.checked(out, "virtual trial", protocols, cohort, force=force)
    from reinfuse.report.export.trial_folder import write_virtual
    from reinfuse.simulation.population.ensemble import bundled
    from reinfuse.simulation.trial import trial_results

    asked, ensemble, seeded = _protocols(protocols), bundled(), trial_results.SEED if seed is None else seed
    with _runner(cluster, (tls_ca, tls_cert, tls_key), insecure=insecure_cluster) as runner, progress_bar() as progress:
        kept = _kept(runner, trial_results.asked(asked, ensemble, seed=seeded), out) if resume else runner
        findings = trial_results.trial(asked, ensemble, patients, seed=seeded, runner=kept, progress=progress)
        if cohort is not None:
            findings = trial_results.with_twins(findings, ensemble, _twins(cohort), seed=seeded, progress=progress)
        progress("report", 1, 1)
        write_virtual(findings, ensemble, place=place)
    if resume:
        _forget(out)
    typer.echo(
        f"{patients} virtual patients in each of {len(asked.all_arms)} arms, {len(findings.estimates)} estimates."
    )
    typer.echo(SAID)
    typer.echo(f"Report: {(out / 'report.html').resolve()} (also .pdf)")


@virtual.command()
def search(
    out: OutOption = Path("reinfuse-search"),
    objective: Annotated[str, typer.Option("--objective", help="What is to be greatest.")] = "durable_response",
    most_crs: Annotated[float, typer.Option("--most-crs", help="Greatest rate of CRS of grade 3 or more.")] = 0.15,
    sure: Annotated[float, typer.Option("--sure", help="Share of populations in which that must hold.")] = 0.5,
    margin: Annotated[float, typer.Option("--margin", help="Difference that does not matter, of the best.")] = 0.1,
    cart1: Annotated[str, typer.Option("--cart1", help="Regimen before CART1.")] = "Cy-Flu",
    cart1_dose: Annotated[float, typer.Option("--cart1-dose", help="Dose of CART1, cells/kg.")] = 2e6,
    cart1_too: Annotated[bool, typer.Option("--cart1-too", help="Search the regimen before CART1 too.")] = False,
    limit: Annotated[list[str] | None, typer.Option("--limit", help="NAME:LOW:HIGH, such as flu:0:1.")] = None,
    patients: Annotated[
        int | None, typer.Option("--patients", min=256, max=MOST_PATIENTS, help="Virtual patients.")
    ] = None,
    seed: SeedOption = None,
    sensitivity: Annotated[bool, typer.Option(help="Sobol indices too.")] = True,
    cluster: ClusterOption = None,
    force: ForceOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    insecure_cluster: InsecureOption = False,
) -> None:
    """Find protocols of the second infusion that cannot be told apart from the best, and what to measure."""
    place = console.checked(out, "virtual search", force=force)
    from reinfuse.report.export.search_folder import write_search
    from reinfuse.simulation.population.ensemble import bundled
    from reinfuse.simulation.search.search import search as searched
    from reinfuse.simulation.search.sobol import sensitivity as sensitive_to
    from reinfuse.simulation.trial import trial_results

    asked, ensemble = (
        _question(
            objective, most_crs, sure, margin=margin, cart1=cart1, dose=cart1_dose, too=cart1_too, limits=limit or []
        ),
        bundled(),
    )
    seeded = trial_results.SEED if seed is None else seed
    with _runner(cluster, (tls_ca, tls_cert, tls_key), insecure=insecure_cluster) as runner, progress_bar() as progress:
        answer = searched(asked, ensemble, seeded, patients=patients, runner=runner, progress=progress)
        sensitive = sensitive_to(seeded, ensemble, progress=progress) if sensitivity else None
        write_search(answer, sensitive, ensemble, place=place, seed=seeded)
    inside = int(answer.region.inside.sum())
    typer.echo(f"{len(answer.region.protocols)} protocols weighed, {inside} cannot be told apart from the best.")
    typer.echo(SAID)
    typer.echo(f"Report: {(out / 'report.html').resolve()}")


def _question(objective: str, most_crs: float, sure: float, *, margin: float, cart1: str, dose: float, too: bool,
              limits: list[str]) -> Any:  # fmt: skip
    """Return what is searched, or refuse it with all problems."""
    from pydantic import ValidationError

    from reinfuse.exceptions import PlanRefused, Problem
    from reinfuse.simulation.search.design_space import Question
    from reinfuse.simulation.trial.protocol import Infusion

    told, problems = {}, []
    for text in limits:
        try:
            name, low, high = text.split(":")
            told[name] = (float(low), float(high))
        except ValueError:
            problems.append(
                Problem(
                    table="search",
                    column="limit",
                    value=text,
                    rule="cannot be read",
                    remedy="NAME:LOW:HIGH, such as flu:0:1",
                )
            )
    try:
        first = Infusion.model_validate({"lymphodepletion": cart1, "dose_cells_per_kg": dose})
    except ValidationError as error:
        problems += [
            Problem(
                table="search", column=f"cart1 {e['loc'][-1]}", value=str(e["input"]), rule="cannot be", remedy=e["msg"]
            )
            for e in error.errors()
        ]
    if problems:
        raise PlanRefused(problems)
    return Question(objective, most_crs, sure, margin, first, too, told)


@virtual.command()
def ablation(
    out: OutOption = Path("reinfuse-ablation"),
    members: Annotated[int, typer.Option("--members", min=10, help="Members of the ensemble.")] = 60,
    patients: PatientsOption = 512,
    seed: SeedOption = None,
    force: ForceOption = False,
) -> None:
    """Simulate the reference study without each mechanism in turn; write ablation.csv."""
    place = console.checked(out, "virtual ablation", force=force)
    from reinfuse.report.export.trial_folder import frame
    from reinfuse.simulation.calibration.ablation import ablation as ablated
    from reinfuse.simulation.population.ensemble import bundled
    from reinfuse.simulation.trial import trial_results
    from reinfuse.tabular.csv_files import write_csv

    with progress_bar() as progress:
        told = frame(
            ablated(
                bundled(),
                trial_results.SEED if seed is None else seed,
                members=members,
                patients=patients,
                progress=progress,
            )
        )
    place.write(lambda draft: write_csv(told, draft / "ablation.csv"))
    typer.echo(SAID)
    typer.echo(f"Written: {(out / 'ablation.csv').resolve()}")


def _protocols(path: Path | None) -> Protocols:
    from importlib.resources import as_file, files

    from reinfuse.simulation.trial.protocol import Protocols

    if path is not None:
        return Protocols.load(path)
    with as_file(files("reinfuse.simulation").joinpath("protocols.toml")) as bundled:
        return Protocols.load(bundled)


def _twins(cohort: Path) -> Any:
    """Return what is known of a cohort's patients before their second infusion."""
    from reinfuse.cohort.cohort import read_cohort
    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.simulation.twins.patient_data import of_cohort
    from reinfuse.study import Study

    plan = Plan.built_in()
    study = Study(read_cohort(cohort, plan.columns, used=plan.used_columns), plan)
    return of_cohort(study.cohort, study.data, plan=plan, counts=study.counts)


def _runner(cluster: str | None, tls: tuple[Path | None, Path | None, Path | None], *, insecure: bool) -> Any:
    from reinfuse.simulation.trial.trial import in_threads

    if cluster is None:
        if any(tls) or insecure:
            raise typer.BadParameter("--tls-ca, --tls-cert, --tls-key and --insecure-cluster go with --cluster")
        return nullcontext(in_threads())
    from reinfuse.simulation.trial.dask_runner import Tls, on_cluster

    return on_cluster(cluster, Tls(*tls), insecure=insecure)


def _kept(runner: Runner, asked: Any, out: Path) -> Runner:
    from reinfuse.simulation.trial.checkpoint import resumable

    signals.note_kept(f"Finished work is kept in {_folder(out)}: the same command goes on with it.")
    return resumable(runner, asked, _folder(out), say=lambda text: typer.echo(text, err=True))


def _folder(out: Path) -> Path:
    return out.parent / f".{out.name}-blocks"


def _forget(out: Path) -> None:
    import shutil

    shutil.rmtree(_folder(out), ignore_errors=True)


def _print_tables(told: dict[str, Any]) -> None:
    from rich.table import Table

    for name in ("states", "parameters"):
        table = Table(title=name.capitalize())
        for head in told[name][0]:
            table.add_column(head, overflow="fold")
        for row in told[name]:
            table.add_row(*(f"{v:g}" if isinstance(v, float | int) else str(v) for v in row.values()))
        console.print_table(table, 150)
    for text in told["between"]:
        typer.echo(f"- {text}")
