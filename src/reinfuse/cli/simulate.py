"""The command line of virtual patients: `reinfuse virtual ...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reinfuse.cli import console
from reinfuse.cli.console import Commands, ForceOption, progress_bar

if TYPE_CHECKING:
    from reinfuse.study.virtual_runner import Cluster

virtual = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    help="Virtual patients: a mechanistic model, calibrated to group results, not validated for individual patients.",
)  # fmt: skip
MOST_PATIENTS = 10_000_000
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
EnsembleOption = Annotated[
    Path | None, typer.Option("--ensemble", help="Ensemble (ensemble.csv of `virtual calibrate`); default: bundled.")
]
DiseaseOption = Annotated[
    list[str] | None,
    typer.Option("--disease", metavar="NAME[:WEIGHT]", help="Patients' diseases; default ALL:14, CLL:9, NHL:21."),
]
ExtrapolateOption = Annotated[
    bool, typer.Option("--extrapolate", help="Search protocols too that no published second infusion supports.")
]
LimitOption = Annotated[
    list[str] | None, typer.Option("--limit", metavar="NAME:LOW:HIGH", help="Limits of a variable: flu:0:1.")
]
MarginOption = Annotated[
    float, typer.Option("--margin", help="Indifference margin, as a fraction of the best objective.")
]
WeightOption = Annotated[
    float, typer.Option("--toxicity-weight", help="Weight of one toxicity, in units of the objective.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, max=2**32 - 1, help="Random seed.")]


@virtual.command()
def parameters(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Print the model: states, equations, parameters with priors and sources."""
    from reinfuse.study import virtual_model

    if json:
        console.echo_json(virtual_model.as_dict())
    elif markdown:
        typer.echo(virtual_model.markdown(), nl=False)
    else:
        _print_tables(virtual_model.as_dict())


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
    ensemble: EnsembleOption = None,
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
    place = console.writable(out, "virtual trial", protocols, cohort, ensemble, force=force)
    workers = _cluster(cluster, (tls_ca, tls_cert, tls_key), insecure=insecure_cluster)
    from reinfuse.study.virtual_trial import DISCLAIMER, run_trial

    with progress_bar() as progress:
        findings = run_trial(protocols, patients, place=place, seed=seed, cohort=cohort, cluster=workers, resume=resume,
                             own_ensemble=ensemble, progress=progress)  # fmt: skip
    arms, estimates = len(findings.protocols.all_arms), len(findings.estimates)
    console.say(f"{patients} virtual patients in each of {arms} arms, {estimates} estimates.")
    console.say(DISCLAIMER)
    console.say(f"Report: {(out / 'report.html').resolve()} (also .pdf)")


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
    margin: MarginOption = 0.1,
    toxicity_weight: WeightOption = 0.1,
    fludarabine_auc: Annotated[
        float | None, typer.Option("--fludarabine-auc", help="Fludarabine exposure of one course, AUC in mg h/L.")
    ] = None,
    cart1: Annotated[str, typer.Option("--cart1", help="Lymphodepletion before CART1.")] = "Cy-Flu",
    cart1_dose: Annotated[float, typer.Option("--cart1-dose", help="Dose of CART1, cells/kg.")] = 2e6,
    search_cart1: Annotated[
        bool, typer.Option("--search-cart1", help="Optimise lymphodepletion before CART1 as well.")
    ] = False,
    disease: DiseaseOption = None,
    extrapolate: ExtrapolateOption = False,
    limit: LimitOption = None,
    patients: Annotated[
        int | None, typer.Option("--patients", min=256, max=MOST_PATIENTS, help="Virtual patients.")
    ] = None,
    seed: SeedOption = None,
    sensitivity: Annotated[bool, typer.Option(help="Global sensitivity analysis (Sobol indices).")] = True,
    ensemble: EnsembleOption = None,
    cluster: ClusterOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what is evaluated; resume an interrupted search from it.")
    ] = False,
    force: ForceOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    insecure_cluster: InsecureOption = False,
) -> None:
    """Optimise the protocol of the second infusion: near-optimal protocols, and value of information."""
    place = console.writable(out, "virtual search", ensemble, force=force)
    workers = _cluster(cluster, (tls_ca, tls_cert, tls_key), insecure=insecure_cluster)
    from reinfuse.study.virtual_search import Cart1Choice, ToxicityOptions, caveats, question_of, run_search
    from reinfuse.study.virtual_trial import DISCLAIMER

    question = question_of(objective, max_crs_rate, probability, margin=margin, limits=limit or [],
                           cart1=Cart1Choice(cart1, cart1_dose, search_cart1), diseases=disease or [],
                           extrapolate=extrapolate,
                           charged=ToxicityOptions(toxicity_weight, fludarabine_auc))  # fmt: skip
    with progress_bar() as progress:
        result = run_search(question, place=place, patients=patients, seed=seed, sensitive=sensitivity, cluster=workers,
                            own_ensemble=ensemble, resume=resume, progress=progress)  # fmt: skip
    inside = int(result.region.inside.sum())
    console.say(f"{len(result.region.protocols)} protocols evaluated, {inside} not distinguishable from the best.")
    for sentence in caveats(result):
        console.say(sentence)
    console.say(DISCLAIMER)
    console.say(f"Report: {(out / 'report.html').resolve()}")


@virtual.command()
def ablation(
    out: OutOption = Path("reinfuse-ablation"),
    members: Annotated[int, typer.Option("--members", min=10, help="Populations of the ensemble to simulate.")] = 60,
    *,
    patients: PatientsOption = 512,
    seed: SeedOption = None,
    force: ForceOption = False,
) -> None:
    """Ablation: simulate the reference study without each mechanism in turn; write ablation.csv."""
    place = console.writable(out, "virtual ablation", force=force)
    from reinfuse.study.virtual_trial import DISCLAIMER, run_ablation

    with progress_bar() as progress:
        run_ablation(members=members, patients=patients, place=place, seed=seed, progress=progress)
    console.say(DISCLAIMER)
    console.say(f"Written: {(out / 'ablation.csv').resolve()}")


def _cluster(
    address: str | None, tls: tuple[Path | None, Path | None, Path | None], *, insecure: bool
) -> Cluster | None:
    """Return the cluster of the options; None without any."""
    if address is None:
        if any(tls) or insecure:
            raise typer.BadParameter("--tls-ca, --tls-cert, --tls-key and --insecure-cluster go with --cluster")
        return None
    from reinfuse.study.virtual_runner import Cluster

    return Cluster(address, *tls, insecure=insecure)


def _print_tables(model: dict[str, Any]) -> None:
    from rich.table import Table

    for name in ("states", "parameters", "mixture"):
        table = Table(title=name.capitalize())
        for head in model[name][0]:
            table.add_column(head, overflow="fold")
        for row in model[name]:
            table.add_row(*(f"{v:g}" if isinstance(v, float | int) else str(v) for v in row.values()))
        console.print_table(table, 150)
    for text in model["between"]:
        typer.echo(f"- {text}")
