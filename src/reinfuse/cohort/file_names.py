"""Which table a file or a sheet is by its name, and which one it nearly is: none may be passed over unseen."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from reinfuse.cohort.schema import TABLES

SHEET = "sheet"
ABOUT_FILE = "about.toml"
READ = (".csv", ".parquet")
WORKBOOKS = (".xlsx", ".xlsm")
_BESIDE = frozenset({
    ABOUT_FILE, "plan.toml", "plan.record.toml", "map.toml", "corrections.csv", "provenance.csv",
    "reinfuse.manifest.json", "published.csv", "thumbs.db", "desktop.ini", "icon\r",
})  # fmt: skip
"""Files that stand beside the tables by right: the project's own (the bundled cohorts' too) and the system's."""
_NOT_THERE = ("~$", "._", ".~lock.")
"""Begin the names of files that programs keep for themselves while one works."""
_DOCUMENTS = frozenset(
    "bib bmp bat do doc docx eml eps gif htm html ipynb jpeg jpg lnk lock log md msg odt pdf png ppt pptx py pyc qmd r "
    "rmd rproj rst rtf sas sh svg tex tif tiff toml url webp yaml yml".split()
)
_DATA = frozenset(
    "7z accdb arrow bz2 csv dat db dta feather gz json mdb numbers ods parquet por rar rda rdata rds sas7bdat sav "
    "sqlite tab tsv xls xlsb xlsm xlsx xml xpt xz zip".split()
)
_SINGULAR = {"therapies": "therapy", "toxicities": "toxicity"}
_FORMS = {form: table for table in TABLES for form in (table, _SINGULAR.get(table, table.removesuffix("s")))}
_NEAR, _SHORTEST, _SHORTEST_TYPO = 0.8, 3, 5


def table_named(title: str) -> str | None:
    """Return the table of exactly that name, in any case."""
    plain = title.strip().casefold()
    return plain if plain in TABLES else None


def near_table(title: str) -> str | None:
    """Return the table whose name stands in a title, or nearly does: `Toxicity`, `patients (1)`, `theraphies`."""
    words = [w for w in re.split(r"[\W\d_]+", title.casefold()) if w and w not in _DATA | {"txt", "bak"}]
    for word in words:
        if word in _FORMS:
            return _FORMS[word]
    whole = "".join(words)
    if len(whole) >= _SHORTEST and (begun := [t for t in TABLES if t.startswith(whole)]):
        return begun[0]
    for word in (whole, *(w for w in words if len(w) >= _SHORTEST_TYPO)):
        likeness = {form: SequenceMatcher(None, word, form).ratio() for form in _FORMS if word}
        best = max(likeness, key=lambda form: likeness[form], default="")
        if likeness.get(best, 0) >= _NEAR:
            return _FORMS[best]
    return None


def near_sheet(title: str) -> bool:
    """Tell whether a file's name is nearly that of a wide sheet."""
    return [w for w in re.split(r"[\W\d_]+", title.casefold()) if w][:1] in (["sheet"], ["sheets"])


def beside(name: str) -> bool:
    """Tell whether a file stands beside the tables by right, and is no matter for the reader of a cohort."""
    plain = name.casefold()
    hidden = plain.startswith(".") and near_table(plain) is None
    return plain in _BESIDE or plain.startswith(_NOT_THERE) or hidden


def is_document(name: str) -> bool:
    """Tell whether a file's ending says that it holds no table."""
    return _ending(name) in _DOCUMENTS


def is_data(name: str) -> bool:
    """Tell whether a file's ending says that it may hold tables."""
    return _ending(name) in _DATA


def _ending(name: str) -> str:
    return name.casefold().rpartition(".")[2] if "." in name else ""
