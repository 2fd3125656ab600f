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
    from reinfuse.simulation.trial.trial import Runner, Trial

virtual = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    help="Virtual patients: a mechanistic model, calibrated to group results, not validated for individual patients.",
)  # fmt: skip
MOST_PATIENTS = 10_000_000
DISCLAIMER = "A model, calibrated to group results; not validated for individual patients, and no advice on treatment."
OLD_NAMES = {"most-crs": "max-crs-rate", "sure": "probability", "cart1-too": "search-cart1"}
"""Former names of options, without their dashes: taken for one release, and not shown."""
ProtocolsArgument = Annotated[
    Path | None, typer.Argument(help="Protocol file (TOML); default: nine bundled protocols.")
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for the results.")]
PatientsOption = Annotated[
    int, typer.Option("--patients", min=100, max=MOST_PATIENTS, help="Virtual patients, each in every arm.")
]
ClusterOption = Annotated[str | None, typer.Option("--cluster", help="Address of a Dask cluster (tcp://, tls://).")]
TlsCaOption = Annotated[
    Path | None, typer.Option("--tls-ca", help="Certificate of a tls:// cluster's authority (PEM).")
]
TlsCertOption = Annotated[Path | None, typer.Option("--tls-cert", help="Client certificate (PEM).")]
TlsKeyOption = Annotated[Path | None, typer.Option("--tls-key", help="Private key of the client certificate (PEM).")]
InsecureOption = Annotated[
    bool, typer.Option("--insecure-cluster", help="Accept a cluster on other machines without TLS.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, max=2**32 - 1, help="Random seed.")]


@virtual.command()
def parameters(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Print the model: states, equations, parameters with priors and sources."""
    from reinfuse.simulation.model import model_description

    if json:
        console.echo_json(model_description.as_dict())
    elif markdown:
        typer.echo(model_description.markdown(), nl=False)
    else:
        _print_tables(model_description.as_dict())


@virtual.command()
def trial(
    *,
    protocols: ProtocolsArgument = None,
    patients: PatientsOption = 10_000,
    out: OutOption = Path("reinfuse-virtual"),
    seed: SeedOption = None,
    cluster: ClusterOption = None,
    cohort: Annotated[
        Path | None, typer.Option("--cohort", help="A centre's cohort: simulate virtual twins of its patients.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep checkpoints; resume an interrupted trial from them.")
    ] = False,
    force: ForceOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    insecure_cluster: InsecureOption = False,
) -> None:
    """Run a virtual trial of protocols; write report, findings and figures."""
    place = console.writable(out, "virtual trial", protocols, cohort, force=force)
    from reinfuse.report.export.trial_folder import write_virtual
    from reinfuse.simulation.population.ensemble import bundled
    from reinfuse.simulation.trial import trial_results
    from reinfuse.simulation.trial.trial import Trial

    declared, ensemble, seeded = _protocols(protocols), bundled(), trial_results.SEED if seed is None else seed
    with _runner(cluster, (tls_ca, tls_cert, tls_key), insecure=insecure_cluster) as runner, progress_bar() as progress:
        blocks = _resumable(runner, Trial(declared, ensemble, seeded), out=out) if resume else runner
        findings = trial_results.trial(declared, ensemble, patients, seed=seeded, runner=blocks, progress=progress)
        if cohort is not None:
            findings = trial_results.with_twins(findings, ensemble, _twins(cohort), seed=seeded, progress=progress)
        progress("report", 1, 1)
        write_virtual(findings, ensemble, place=place)
    if resume:
        _forget(out)
    typer.echo(
        f"{patients} virtual patients in each of {len(declared.all_arms)} arms, {len(findings.estimates)} estimates."
    )
    typer.echo(DISCLAIMER)
    typer.echo(f"Report: {(out / 'report.html').resolve()} (also .pdf)")


@virtual.command(context_settings={"token_normalize_func": lambda name: OLD_NAMES.get(name, name)})
def search(
    *,
    out: OutOption = Path("reinfuse-search"),
    objective: Annotated[str, typer.Option("--objective", help="Quantity to maximise.")] = "durable_response",
    max_crs_rate: Annotated[
        float, typer.Option("--max-crs-rate", help="Toxicity constraint: highest rate of CRS of grade 3 or more.")
    ] = 0.15,
    probability: Annotated[
        float, typer.Option("--probability", help="Probability, over populations, with which the constraint must hold.")
    ] = 0.5,
    margin: Annotated[
        float, typer.Option("--margin", help="Indifference margin, as a fraction of the best objective.")
    ] = 0.1,
    cart1: Annotated[str, typer.Option("--cart1", help="Lymphodepletion before CART1.")] = "Cy-Flu",
    cart1_dose: Annotated[float, typer.Option("--cart1-dose", help="Dose of CART1, cells/kg.")] = 2e6,
    search_cart1: Annotated[
        bool, typer.Option("--search-cart1", help="Optimise lymphodepletion before CART1 as well.")
    ] = False,
    limit: Annotated[
        list[str] | None, typer.Option("--limit", metavar="NAME:LOW:HIGH", help="Limits of a variable: flu:0:1.")
    ] = None,
    patients: Annotated[
        int | None, typer.Option("--patients", min=256, max=MOST_PATIENTS, help="Virtual patients.")
    ] = None,
    seed: SeedOption = None,
    sensitivity: Annotated[bool, typer.Option(help="Global sensitivity analysis (Sobol indices).")] = True,
    cluster: ClusterOption = None,
    force: ForceOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    insecure_cluster: InsecureOption = False,
) -> None:
    """Optimise the protocol of the second infusion: near-optimal protocols, and value of information."""
    place = console.writable(out, "virtual search", force=force)
    from reinfuse.report.export.search_folder import write_search
    from reinfuse.simulation.population.ensemble import bundled
    from reinfuse.simulation.search.search import search as searched
    from reinfuse.simulation.search.sobol import sensitivity as sensitive_to
    from reinfuse.simulation.trial import trial_results

    question = _question(objective, max_crs_rate, probability, margin=margin, cart1=cart1, dose=cart1_dose,
                         search_cart1=search_cart1, limits=limit or [])  # fmt: skip
    ensemble = bundled()
    seeded = trial_results.SEED if seed is None else seed
    with _runner(cluster, (tls_ca, tls_cert, tls_key), insecure=insecure_cluster) as runner, progress_bar() as progress:
        answer = searched(question, ensemble, seeded, patients=patients, runner=runner, progress=progress)
        sensitive = sensitive_to(seeded, ensemble, progress=progress) if sensitivity else None
        write_search(answer, sensitive, ensemble, place=place, seed=seeded)
    inside = int(answer.region.inside.sum())
    typer.echo(f"{len(answer.region.protocols)} protocols evaluated, {inside} not distinguishable from the best.")
    typer.echo(DISCLAIMER)
    typer.echo(f"Report: {(out / 'report.html').resolve()}")


def _question(objective: str, max_crs_rate: float, probability: float, *, margin: float, cart1: str, dose: float,
              search_cart1: bool, limits: list[str]) -> Any:  # fmt: skip
    """Return the optimisation problem, or refuse it with all problems."""
    from pydantic import ValidationError

    from reinfuse.exceptions import PlanRefused, Problem
    from reinfuse.simulation.search.design_space import Question
    from reinfuse.simulation.trial.protocol import Infusion

    ranges, problems = {}, []
    for text in limits:
        try:
            name, low, high = text.split(":")
            ranges[name] = (float(low), float(high))
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
    return Question(objective, max_crs_rate, probability, margin, first, search_cart1, ranges)


@virtual.command()
def ablation(
    out: OutOption = Path("reinfuse-ablation"),
    members: Annotated[int, typer.Option("--members", min=10, help="Populations of the ensemble to simulate.")] = 60,
    patients: PatientsOption = 512,
    seed: SeedOption = None,
    force: ForceOption = False,
) -> None:
    """Ablation: simulate the reference study without each mechanism in turn; write ablation.csv."""
    place = console.writable(out, "virtual ablation", force=force)
    from reinfuse.results.estimate import frame
    from reinfuse.simulation.calibration.ablation import ablation as ablated
    from reinfuse.simulation.population.ensemble import bundled
    from reinfuse.simulation.trial import trial_results
    from reinfuse.tabular.csv_files import write_csv

    with progress_bar() as progress:
        table = frame(
            ablated(
                bundled(),
                trial_results.SEED if seed is None else seed,
                members=members,
                patients=patients,
                progress=progress,
            )
        )
    place.write(lambda draft: write_csv(table, draft / "ablation.csv"))
    typer.echo(DISCLAIMER)
    typer.echo(f"Written: {(out / 'ablation.csv').resolve()}")


def _protocols(path: Path | None) -> Protocols:
    from importlib.resources import as_file, files

    from reinfuse.simulation.trial.protocol import Protocols

    if path is not None:
        return Protocols.load(path)
    with as_file(files("reinfuse.simulation").joinpath("protocols.toml")) as bundled:
        return Protocols.load(bundled)


def _twins(cohort: Path) -> Any:
    """Return the data of a cohort's patients from before their second infusion."""
    from reinfuse.plan.analysis_plan import Plan
    from reinfuse.simulation.twins.patient_data import of_cohort
    from reinfuse.study import Study

    plan = Plan.built_in()
    study = Study.read(cohort, plan)
    return of_cohort(study.cohort, study.data, plan=plan, counts=study.counts)


def _runner(cluster: str | None, tls: tuple[Path | None, Path | None, Path | None], *, insecure: bool) -> Any:
    from reinfuse.simulation.trial.trial import in_threads

    if cluster is None:
        if any(tls) or insecure:
            raise typer.BadParameter("--tls-ca, --tls-cert, --tls-key and --insecure-cluster go with --cluster")
        return nullcontext(in_threads())
    from reinfuse.simulation.trial.dask_runner import Tls, on_cluster

    return on_cluster(cluster, Tls(*tls), insecure=insecure)


def _resumable(runner: Runner, trial: Trial, *, out: Path) -> Runner:
    from reinfuse.simulation.trial.checkpoint import resumable

    signals.note_remains(f"Checkpoints are kept in {_folder(out)}: the same command resumes from them.")
    return resumable(runner, trial, _folder(out), say=lambda text: typer.echo(text, err=True))


def _folder(out: Path) -> Path:
    return out.parent / f".{out.name}-blocks"


def _forget(out: Path) -> None:
    import shutil

    shutil.rmtree(_folder(out), ignore_errors=True)


def _print_tables(model: dict[str, Any]) -> None:
    from rich.table import Table

    for name in ("states", "parameters"):
        table = Table(title=name.capitalize())
        for head in model[name][0]:
            table.add_column(head, overflow="fold")
        for row in model[name]:
            table.add_row(*(f"{v:g}" if isinstance(v, float | int) else str(v) for v in row.values()))
        console.print_table(table, 150)
    for text in model["between"]:
        typer.echo(f"- {text}")
