"""The design of the next study: `reinfuse design ...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reinfuse.cli import console
from reinfuse.cli.console import Commands, ForceOption

if TYPE_CHECKING:
    from reinfuse.study.design import AnyRequest

design = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    help="Design the next study: decision table, operating characteristics, and a page for its protocol.",
)  # fmt: skip
OutOption = Annotated[Path, typer.Option("--out", help="Folder for the protocol's page.")]
NullOption = Annotated[float, typer.Option("--p0", help="Response rate not worth further study.")]
AlternativeOption = Annotated[float, typer.Option("--p1", help="Response rate worth further study.")]
AlphaOption = Annotated[float, typer.Option("--alpha", help="Type I error, one-sided.")]
VirtualOption = Annotated[
    Path | None, typer.Option("--virtual", help="Folder of `reinfuse virtual trial`: its arms become scenarios.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print problems as JSON.")]
_OUT = Path("reinfuse-design")


@design.command()
def simon(
    *,
    p0: NullOption,
    p1: AlternativeOption,
    alpha: AlphaOption = 0.05,
    beta: Annotated[float, typer.Option("--beta", help="Type II error.")] = 0.2,
    most: Annotated[int, typer.Option("--max-n", help="Greatest number of patients.")] = 100,
    virtual: VirtualOption = None,
    out: OutOption = _OUT,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Simon's two-stage designs. Optimal and minimax, exact."""
    del json
    from reinfuse.study.design import TwoStageRequest

    _write(TwoStageRequest(p0=p0, p1=p1, alpha=alpha, beta=beta, most=most, virtual=virtual), out, virtual, force=force)


@design.command()
def bayes(
    *,
    p0: NullOption,
    p1: AlternativeOption,
    n: Annotated[int, typer.Option("--n", help="Patients.")],
    threshold: Annotated[float, typer.Option("--threshold", help="Posterior probability needed for success.")] = 0.95,
    prior: Annotated[
        str | None,
        typer.Option("--prior", help="Beta(a, b), or a mixture: 0.6*Beta(19, 58) + 0.4*Beta(3.5, 9.4)."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option("--map", help="Prior from the register's comparable studies of this endpoint: cr.")
    ] = None,
    disease: Annotated[str | None, typer.Option("--disease", help="Of one diagnosis alone, with --map.")] = None,
    register: Annotated[
        list[Path] | None, typer.Option("--register", help="Further folder of published studies; repeatable.")
    ] = None,
    robust: Annotated[
        float | None,
        typer.Option("--robust", help="Weight of a uniform component in the prior; default: 0.2 with --map, else 0."),
    ] = None,
    looks: Annotated[str, typer.Option("--looks", help="Interim looks, patients: 10,20.")] = "",
    futility: Annotated[
        float, typer.Option("--futility", help="Stop where the predictive probability of success is below this.")
    ] = 0.05,
    efficacy: Annotated[float, typer.Option("--efficacy", help="Stop where it is above this; 1: never.")] = 1,
    virtual: VirtualOption = None,
    out: OutOption = _OUT,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Bayesian single-arm study. With predictive monitoring and a robust prior, exact."""
    del json
    if prior is not None and endpoint is not None:
        raise typer.BadParameter("give one of them", param_hint="--prior, --map")
    from reinfuse.study.design import SingleArmRequest, prior_of_register

    given = prior or "Beta(0.5, 0.5)"
    own = given if endpoint is None else prior_of_register(endpoint, disease=disease, folders=register or ())
    weight = (0.0 if endpoint is None else 0.2) if robust is None else robust
    places = tuple(int(x) for x in _numbers(looks, "--looks"))
    _write(
        SingleArmRequest(
            p0=p0,
            p1=p1,
            n=n,
            threshold=threshold,
            prior=own,
            robust=weight,
            looks=places,
            futility=futility,
            efficacy=efficacy,
            virtual=virtual,
        ),
        out,
        virtual,
        force=force,
    )


@design.command()
def dose(
    *,
    target: Annotated[float, typer.Option("--target", help="Target rate of dose-limiting toxicity.")] = 0.3,
    doses: Annotated[str, typer.Option("--doses", help="Doses, lowest first: 2e5,2e6,2e7.")] = "1,2,3",
    cohort: Annotated[int, typer.Option("--cohort", help="Patients a cohort.")] = 3,
    cohorts: Annotated[int, typer.Option("--cohorts", help="Number of cohorts.")] = 8,
    cutoff: Annotated[
        float,
        typer.Option("--cutoff", help="Eliminate a dose where the probability of too much toxicity exceeds this."),
    ] = 0.95,
    start: Annotated[int, typer.Option("--start", help="Place of the first cohort's dose, 1 the lowest.")] = 1,
    rates: Annotated[
        list[str] | None, typer.Option("--rates", help="A scenario, one true rate a dose: 0.1,0.3,0.5; repeatable.")
    ] = None,
    out: OutOption = _OUT,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Dose finding by toxicity (BOIN). With a decision table to print."""
    del json
    from reinfuse.study.design import DoseRequest

    names = tuple(part.strip() for part in doses.split(",") if part.strip())
    scenarios = tuple(_numbers(text, "--rates") for text in rates or ())
    _write(DoseRequest(target=target, doses=names, cohort=cohort, cohorts=cohorts, cutoff=cutoff, start=start,
                       scenarios=scenarios), out, force=force)  # fmt: skip


@design.command()
def logrank(
    *,
    ratio: Annotated[float, typer.Option("--ratio", help="Hazard ratio to the reference worth detecting, below 1.")],
    accrual: Annotated[float, typer.Option("--accrual", help="Duration of accrual.")],
    follow_up: Annotated[float, typer.Option("--follow-up", help="Follow-up after accrual.")],
    median: Annotated[float | None, typer.Option("--median", help="Median of the reference.")] = None,
    survival: Annotated[float | None, typer.Option("--survival", help="Or its survival, with --at.")] = None,
    at: Annotated[float | None, typer.Option("--at", help="Time of --survival.")] = None,
    curve: Annotated[
        Path | None,
        typer.Option(
            "--curve", help="Or its curve: CSV with time and survival (or percent), or curves.csv of results."
        ),
    ] = None,
    arm: Annotated[
        str | None, typer.Option("--arm", help="Which curve of the file, such as 'pfs, all' of a results' curves.csv.")
    ] = None,
    shape: Annotated[float, typer.Option("--shape", help="Weibull shape of the reference; 1: exponential.")] = 1,
    loss: Annotated[float, typer.Option("--loss", help="Rate of loss to follow-up a unit of time.")] = 0,
    alpha: AlphaOption = 0.05,
    power: Annotated[float, typer.Option("--power", help="Power, at least.")] = 0.8,
    unit: Annotated[str, typer.Option("--unit", help="Unit of all times.")] = "months",
    out: OutOption = _OUT,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Single arm against a reference curve. One-sample log-rank test."""
    del json
    from reinfuse.study.design import LogRankRequest, reference_curve

    points = None if curve is None else reference_curve(curve, name=arm)
    _write(LogRankRequest(ratio=ratio, accrual=accrual, follow_up=follow_up, median=median, survival=survival, at=at,
                          curve=points, shape=shape, loss=loss, alpha=alpha, power=power, unit=unit), out, curve,
           force=force)  # fmt: skip


@design.command()
def precision(
    *,
    measure: Annotated[
        Literal["proportion", "odds-ratio", "hazard-ratio", "c-index"], typer.Option("--of", help="What is estimated.")
    ],
    rates: Annotated[
        str,
        typer.Option(
            "--rates",
            help="Assumed rate; without and with the factor; share with the event; c-index and that share.",
        ),
    ],
    half_width: Annotated[
        float | None, typer.Option("--half-width", help="Wanted, of a proportion or a c-index.")
    ] = None,
    factor: Annotated[
        float | None, typer.Option("--factor", help="Wanted, of a ratio: between a limit and the estimate.")
    ] = None,
    share: Annotated[float, typer.Option("--share", help="Share of patients with the factor.")] = 0.5,
    confidence: Annotated[float, typer.Option("--confidence", help="Level.")] = 0.95,
    exclude: Annotated[float | None, typer.Option("--exclude", help="Hazard ratio to be excluded.")] = None,
    ratio: Annotated[float | None, typer.Option("--ratio", help="True hazard ratio, with --exclude.")] = None,
    out: OutOption = _OUT,
    json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Number of patients by precision. Of a proportion, an odds ratio, a hazard ratio or a c-index."""
    del json
    from reinfuse.study.design import PrecisionRequest

    _write(
        PrecisionRequest(
            measure=measure,
            rates=_numbers(rates, "--rates"),
            half_width=half_width,
            factor=factor,
            share=share,
            confidence=confidence,
            exclude=exclude,
            ratio=ratio,
        ),
        out,
        force=force,
    )


def _numbers(text: str, option: str) -> tuple[float, ...]:
    """Return numbers apart by commas."""
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise typer.BadParameter("give numbers apart by commas, such as 0.1,0.3", param_hint=option) from None


def _write(request: AnyRequest, out: Path, *reads: Path | None, force: bool) -> None:
    """Answer a request in words and tables, and write the protocol's page."""
    place = console.writable(out, "design", *reads, force=force)
    from reinfuse.study.design import design_study, write_answer

    answer = design_study(request)
    write_answer(answer, place)
    if console.quiet():
        return
    for sentence in answer.sentences:
        console.say(sentence)
    for table in answer.tables:
        console.print_table(console.grid_of(table), 130)
    console.say(f"Page for the protocol: {(out / 'protocol.html').resolve()} (also .docx, .pdf)")
