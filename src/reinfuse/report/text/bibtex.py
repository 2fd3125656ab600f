"""References as BibTeX, for the authors' own manuscript."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from reinfuse.evidence.studies import RegisteredStudy
from reinfuse.report.analyses.registry import references
from reinfuse.report.text.references import Reference
from reinfuse.version import __version__

_ESCAPES = str.maketrans({**{c: f"\\{c}" for c in "&%$#_{}"}, "\\": r"\textbackslash{}", "~": r"\textasciitilde{}",
                          "^": r"\textasciicircum{}"})  # fmt: skip


def bibliography(keys: Iterable[str]) -> str:
    """Return the entries of these references, in order, and that of reinfuse.

    Raises
    ------
    KeyError
        If a key is no reference's.
    """
    own = [
        "@software{reinfuse,",
        "  author = {{The reinfuse developers}},",
        "  title = {{reinfuse: from a cohort of repeat CAR-T infusions to a report one can trust}},",
        f"  version = {{{__version__}}},",
        "}",
    ]
    return "\n\n".join([*(entry(references()[k]) for k in dict.fromkeys(keys)), "\n".join(own)]) + "\n"


def entry(reference: Reference) -> str:
    """Return one entry; its key is the first author, the year and the title's first long word."""
    fields = {
        "author": " and ".join(_name(a) for a in reference.authors.split(", ")),
        "title": f"{{{_plain(reference.title)}}}",
        "journal": _plain(reference.journal),
        "year": str(reference.year),
        "volume": reference.volume,
        "number": reference.issue,
        "pages": reference.pages.replace("-", "--"),
        "doi": reference.doi,
    }
    return _entry("article", key(reference), fields)


def study_entry(study: RegisteredStudy) -> str:
    """Return the entry of a registered study, under its name in the register; what is not known of it is left out."""
    fields = {
        "author": " and ".join(_name(a) for a in study.authors.split(", ") if a),
        "title": f"{{{_plain(study.title or study.label)}}}",
        "journal" if study.volume else "howpublished": _plain(study.journal),
        "year": str(study.year or ""),
        "volume": study.volume,
        "number": study.issue,
        "pages": study.pages.replace("-", "--"),
        "doi": study.doi,
        "pmid": study.pmid,
        "url": study.address,
        "note": _plain("; ".join([f"read as {study.read_as} on {study.read_on}", *(n.kind for n in study.alarms)])),
    }
    return _entry("article" if study.volume else "misc", study.name, fields)


def _entry(kind: str, name: str, fields: Mapping[str, str]) -> str:
    lines = [f"  {field} = {{{value}}}," for field, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{name},", *lines, "}"])


def key(reference: Reference) -> str:
    """Return a key such as `firth1993bias`."""
    word = next(w for w in reference.title.split() if len(w) > 3)
    family = reference.authors.split(", ")[0].rsplit(" ", 1)[0]
    plain = unicodedata.normalize("NFKD", f"{family}{reference.year}{word}".lower())
    return "".join(c for c in plain if c.isascii() and c.isalnum())


def _name(author: str) -> str:
    """Return `Kaplan, E. L.` for `Kaplan EL`."""
    if author == "et al":
        return "others"
    family, _, initials = author.rpartition(" ")
    return f"{_plain(family)}, {' '.join(f'{i}.' for i in initials)}"


def _plain(text: str) -> str:
    return text.translate(_ESCAPES)
