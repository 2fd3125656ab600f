"""The register of published repeat infusions, and what of it may be taken together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from reinfuse.evidence.figures import PublishedFigure
from reinfuse.evidence.studies import RegisteredStudy

OWN_PATIENTS = "left out by the plan: it holds patients of this cohort"
_CONTEXT = ("meta-analysis", "trial registration")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A study that reports an endpoint and is not pooled.

    Attributes
    ----------
    reason
        In words, such as ``differs in construct: humanized CAR after a murine one``.
    """

    study: RegisteredStudy
    reason: str


@dataclass(frozen=True, slots=True)
class Poolable:
    """One figure a study, of patients that may be taken together, and who was left out of it.

    Attributes
    ----------
    endpoint, grade, disease
        What was asked for; disease None: every diagnosis.
    figures
        Proportions with counts, in the order of the register.
    excluded
        Studies that report the endpoint and are left out, with the reason.
    """

    endpoint: str
    grade: str
    disease: str | None
    figures: tuple[PublishedFigure, ...]
    excluded: tuple[Exclusion, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """Published studies of repeat infusions with their figures.

    Attributes
    ----------
    studies
        The reference study first, then by year.
    """

    studies: tuple[RegisteredStudy, ...]

    def study(self, name: str) -> RegisteredStudy | None:
        """Return the study of that name, if there is one."""
        return next((s for s in self.studies if s.name == name), None)

    def figures(
        self,
        *,
        endpoint: str | None = None,
        disease: str | None = None,
        construct: str | None = None,
        comparable: bool | None = None,
        across: Collection[str] = (),
    ) -> list[PublishedFigure]:
        """Return figures; of several conditions, those that meet all.

        Parameters
        ----------
        endpoint
            A declared endpoint or a kind of toxicity.
        disease
            A diagnosis that is among those of the figure's patients.
        construct
            A part of the construct's name, in any case of letters.
        comparable
            True: only figures that may be pooled unasked; False: only the others.
        across
            Differences that do not count against being compared.
        """
        return [
            f
            for s in self.studies
            if construct is None or construct.casefold() in s.construct.casefold()
            for f in s.figures
            if endpoint in (None, f.endpoint)
            and (disease is None or disease in f.diseases)
            and comparable in (None, s.kind not in _CONTEXT and not set(f.differs_in) - {*across})
        ]

    def poolable(
        self, endpoint: str, *, grade: str = "", disease: str | None = None, across: Collection[str] = (),
        without: Collection[str] = (),
    ) -> Poolable:  # fmt: skip
        """Return one proportion with counts for each study whose patients may be taken together.

        Of a study, the figure of all its patients is taken (of one disease: of all with that disease), never one of a
        subset; of studies that may share patients, the larger one. Retracted studies and context are left out.

        Parameters
        ----------
        grade
            Of a toxicity, such as `>=3`.
        across
            Differences across which studies are pooled because somebody asks for it.
        without
            Names of studies that are left out because they hold one's own patients.

        Examples
        --------
        >>> from reinfuse import evidence
        >>> poolable = evidence.read_register().poolable("cr", disease="NHL")
        >>> [(f.study, f.events, f.n) for f in poolable.figures]
        [('gauthier2021', 4, 21), ('zuma1_retreatment2020', 4, 13)]
        """
        chosen: list[PublishedFigure] = []
        excluded: list[Exclusion] = []
        for study in self.studies:
            every = [f for f in study.figures if f.endpoint == endpoint and f.grade == grade]
            if not every or (disease is not None and disease not in study.diseases):
                continue
            reason = OWN_PATIENTS if study.name in without else _reason(study, across)
            figures = [] if reason else list(_of_all_patients(study, every, disease=disease, across=across))
            if figures:
                chosen.append(max(figures, key=lambda f: (len(f.diseases), f.n or 0)))
            else:
                excluded.append(Exclusion(study, reason or _why_none(every, disease=disease, across=across)))
        for figure in _doubled(self, chosen):
            chosen.remove(figure)
            study = next(s for s in self.studies if s.name == figure.study)
            excluded.append(Exclusion(study, "may hold patients of a larger study that is pooled"))
        return Poolable(endpoint, grade, disease, tuple(chosen), tuple(excluded))

    def stale(self, on: date) -> list[RegisteredStudy]:
        """Return the studies that were to be read again before a day."""
        return [s for s in self.studies if s.is_stale(on)]

    def alarms(self) -> list[RegisteredStudy]:
        """Return the studies to which a retraction, correction or expression of concern is known."""
        return [s for s in self.studies if s.alarms]


def _reason(study: RegisteredStudy, across: Collection[str]) -> str:
    """Return why nothing of a study is pooled; empty where that hangs on its figures."""
    if study.is_retracted:
        return "retracted"
    if study.kind in _CONTEXT:
        return f"is a {study.kind}: {study.reason}"
    differences = [d for d in study.differs_in if d not in across]
    return f"differs in {' and '.join(differences)}: {study.reason}" if differences else ""


def _of_all_patients(
    study: RegisteredStudy, figures: list[PublishedFigure], *, disease: str | None, across: Collection[str]
) -> Iterator[PublishedFigure]:
    """Yield those proportions of a study that are of all its patients, or of all with one disease."""
    wanted = study.diseases if disease is None else (disease,)
    for f in figures:
        if f.has_counts and not f.subset and not set(f.differs_in) - {*across} and set(f.diseases) == set(wanted):
            yield f


def _why_none(figures: list[PublishedFigure], *, disease: str | None, across: Collection[str]) -> str:
    comparable = [f for f in figures if not set(f.differs_in) - {*across}]
    if not comparable:
        differences = sorted({d for f in figures for d in f.differs_in})
        return f"its figures differ in {' and '.join(differences)}"
    if disease is not None and not any(f.diseases == (disease,) for f in comparable):
        return f"no figure of {disease} alone"
    return "no counts of all its patients in the text that was read"


def _doubled(register: Register, figures: list[PublishedFigure]) -> list[PublishedFigure]:
    """Return the smaller ones of figures whose studies may share patients."""
    studies = {s.name: s for s in register.studies}
    return [
        f
        for f in figures
        if any(
            (o.study in studies[f.study].overlaps or f.study in studies[o.study].overlaps)
            and (o.n or 0, o.study) > (f.n or 0, f.study)
            for o in figures
            if o is not f
        )
    ]
