"""What a file or folder is, told from its ending, its names and its first rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reinfuse.cohort.file_names import WORKBOOKS
from reinfuse.cohort.schema import WIDE
from reinfuse.sources.glimpse import PARQUET, START, TEXTS, Glimpse, start_of, tables
from reinfuse.sources.redcap.dictionary import is_dictionary
from reinfuse.sources.redcap.headings import EVENT, INSTANCE, INSTRUMENT, is_export
from reinfuse.sources.source_table import SourceKind
from reinfuse.tabular import files
from reinfuse.tabular.files import Unreadable, read_start
from reinfuse.tabular.limits import FILES

Kind = SourceKind | Literal["cohort"]
_FEWEST = 2
"""Names of a format that tell it."""
_REDCAP = frozenset({EVENT, INSTRUMENT, INSTANCE, "event name", "repeat instrument", "repeat instance"})
"""Names of columns without which no record has several rows."""
_ADAM = frozenset({"paramcd", "aval", "avalc", "cnsr", "trt01p", "trt01a", "trtsdt", "saffl", "ittfl", "ady", "adt"})
_CBIOPORTAL = frozenset(
    {"patient_id", "os_status", "os_months", "pfs_status", "pfs_months", "dfs_status", "dfs_months"}
)
_OMOP_TABLES = frozenset({"person", "drug_exposure", "procedure_occurrence", "condition_occurrence", "measurement"})
_WIDE = frozenset(c.name for c in WIDE.columns) - {"patient_id"}
_OUTCOMES = frozenset(n for n in _WIDE if n.endswith(("_days", "_event")))
_DUCKDB, _DUCKDB_PLACE = b"DUCK", 8
"""What a file of DuckDB has near its beginning, and where."""
_ARM = re.compile(r"\w+_arm_\d+")
_ELSE = {
    ".xls": "an old Excel workbook: save it as .xlsx", ".ods": "an OpenDocument sheet: save it as .xlsx",
    ".numbers": "a Numbers sheet: export it as .xlsx", ".sav": "an SPSS file: save it as .csv",
    ".dta": "a Stata file: save it as .csv", ".rds": "an R file: save it as .csv",
    ".zip": "an archive: unpack it first",
}  # fmt: skip
_ORDER: tuple[Kind, ...] = ("cohort", "cbioportal", "omop", "fhir", "adam", "sdtm", "redcap", "excel", "csv")


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a path was recognised as, and why.

    Attributes
    ----------
    kind
        None: nothing that is read.
    why
        In words.
    sure
        False: only by names that a sheet of the contract, or of a plan's columns, may have beside its own.
    """

    kind: Kind | None
    why: str
    sure: bool = True


def recognise(path: Path) -> Recognition:
    """Tell what stands at a path, without reading more of it than is needed."""
    what = files.kind(path)
    try:
        if what == "folder":
            return _folder(path)
        if what == "file":
            return _file(path)
    except Unreadable as refused:
        return Recognition(None, refused.rule)
    return Recognition(None, "there is no such file or folder" if what == "none" else what)


def _file(path: Path) -> Recognition:
    ending = path.suffix.casefold()
    if ending in WORKBOOKS:
        return recognise_rows(tables(path)) or Recognition("excel", "a workbook")
    if ending in TEXTS:
        return recognise_rows(tables(path)) or Recognition("csv", "a text file of rows and columns")
    if ending == PARQUET:
        return recognise_rows(tables(path)) or Recognition("csv", "a Parquet file")
    if ending in (".json", ".ndjson", ".dsjc"):
        return _json(path)
    if ending in (".xpt", ".sas7bdat"):
        return _sas(path)
    if ending == ".xml":
        return Recognition(None, _xml(start_of(path)[:START]))
    if ending in (".duckdb", ".db", ".sqlite", ".sqlite3"):
        return _database(path)
    return Recognition(None, _ELSE.get(ending, f"files ending in {ending or 'nothing'} are not read"))


def _database(path: Path) -> Recognition:
    start = read_start(path, _DUCKDB_PLACE + len(_DUCKDB))
    if start.startswith(b"SQLite"):
        return Recognition(None, "a SQLite database, which is not read: export its tables as CSV or Parquet")
    if path.suffix.casefold() != ".duckdb" and start[_DUCKDB_PLACE:] != _DUCKDB:
        return Recognition(None, "no database that is read: those of DuckDB are, and PostgreSQL by its address")
    return Recognition("omop", "a DuckDB database")


def _folder(path: Path) -> Recognition:
    """Tell what the files of a folder are together: what is more special than a table of texts decides."""
    try:
        entries = sorted(path.iterdir())[:FILES]
    except OSError:
        return Recognition(None, "the folder cannot be read")
    names = {e.stem.casefold() for e in entries}
    if any(e.name.casefold().startswith(("data_clinical_patient", "meta_study")) for e in entries):
        return Recognition("cbioportal", "a study folder of cBioPortal (data_clinical_patient.txt)")
    if len(names & _OMOP_TABLES) >= _FEWEST:
        return Recognition("omop", f"tables of OMOP: {', '.join(sorted(names & _OMOP_TABLES))}")
    readable = [e for e in entries if e.suffix.casefold() in _KNOWN and not e.name.startswith((".", "~$"))]
    recognised = [(e.name, r) for e in readable if files.kind(e) == "file" and (r := recognise(e)).kind]
    own = {r.kind for name, r in recognised if Path(name).stem.casefold() in _TABLES}
    if names >= _TABLES.keys() and "cohort" in own and own <= {"cohort", "csv"}:
        return Recognition("cohort", "a folder with the tables patients and infusions")
    for kind in _ORDER[1:]:
        if hits := [(name, r.why) for name, r in recognised if r.kind == kind]:
            return Recognition(kind, f"{hits[0][0]}: {hits[0][1]}")
    if [r for _, r in recognised if r.kind == "cohort"]:
        return Recognition("cohort", "a folder with a wide sheet")
    return Recognition(None, "the folder holds no file that is read")


_KNOWN = (*WORKBOOKS, *TEXTS, PARQUET, ".json", ".ndjson", ".dsjc", ".xpt", ".sas7bdat", ".duckdb")


def recognise_rows(glimpses: Sequence[Glimpse]) -> Recognition | None:
    """Tell what tables are by the names in their first rows; None where no format shows."""
    if recognition := _first(_by_names, glimpses):
        return recognition
    cohort = _cohort(glimpses)
    if cohort and any("patient_id" in names and names & _OUTCOMES for g in glimpses for names in g.names[:1]):
        return cohort
    if recognition := _first(_by_some_names, glimpses):
        return recognition
    arms = sorted({cell for g in glimpses for row in g.rows for cell in row if _ARM.fullmatch(cell)})
    if arms and not cohort:
        return Recognition("redcap", f"an event of REDCap: {arms[0]}", sure=False)
    return cohort


def _first(by: Callable[[Sequence[str]], Recognition | None], glimpses: Sequence[Glimpse]) -> Recognition | None:
    """Return what the first row that tells a format tells."""
    return next((r for glimpse in glimpses for row in glimpse.rows if (r := by(row))), None)


def _by_names(row: Sequence[str]) -> Recognition | None:
    """Tell a format by names that no other sheet has."""
    names = frozenset(cell.casefold() for cell in row if cell)
    if names & _REDCAP and (export := is_export(row)):
        return Recognition("redcap", f"a REDCap export: {export}")
    if is_dictionary(row):
        return Recognition("redcap", "a data dictionary of REDCap")
    if "usubjid" in names and (hits := names & _ADAM):
        return Recognition("adam", f"names of ADaM: USUBJID, {_named(hits).upper()}")
    if names >= {"paramcd", "aval"}:
        return Recognition("adam", "names of ADaM: PARAMCD, AVAL")
    if "usubjid" in names and names & {"domain", "studyid"}:
        return Recognition("sdtm", f"names of SDTM: USUBJID, {_named(names & {'domain', 'studyid'}).upper()}")
    concepts = {n for n in names if n.endswith("_concept_id")}
    if "person_id" in names and concepts:
        return Recognition("omop", f"names of OMOP: person_id, {_named(concepts)}")
    return None


def _by_some_names(row: Sequence[str]) -> Recognition | None:
    """Tell a format by names that a sheet of the contract may have beside its own."""
    if export := is_export(row):
        return Recognition("redcap", f"a REDCap export: {export}", sure=False)
    names = frozenset(cell.casefold() for cell in row if cell)
    months = {n for n in names if n.endswith("_months")} & _CBIOPORTAL
    if "patient_id" in names and months and {n.replace("_months", "_status") for n in months} & names:
        return Recognition("cbioportal", f"a clinical file of cBioPortal: {_named(names & _CBIOPORTAL).upper()}")
    return None


def _cohort(glimpses: Sequence[Glimpse]) -> Recognition | None:
    """Tell the contract's own tables and wide sheets: their names stand in the first row."""
    heads = {g.name.strip().casefold(): g.names[0] for g in glimpses if g.names}
    if heads.keys() >= _TABLES.keys() and any("patient_id" in heads[name] for name in _TABLES):
        return Recognition("cohort", "a workbook with the sheets patients and infusions, and the column patient_id")
    for name, head in heads.items():
        if "patient_id" not in head:
            continue
        if name in ("patients", "infusions") and len(head & _TABLES[name]) >= _FEWEST:
            return Recognition("cohort", f"the table {name} of a cohort")
        if len(hits := head & _WIDE) >= _FEWEST:
            return Recognition("cohort", f"a wide sheet with standard names: patient_id, {_named(hits)}")
    return None


_TABLES = {"patients": frozenset({"last_contact", "death", "diagnosis"}),
           "infusions": frozenset({"infusion", "date", "day", "dose_cells_per_kg", "lymphodepletion"})}  # fmt: skip


def _json(path: Path) -> Recognition:
    if path.suffix.casefold() == ".dsjc":
        return _domain(path.stem, "compressed Dataset-JSON")
    start = start_of(path)[:START]
    if "datasetJSONVersion" in start or '"itemGroupOID"' in start:
        name = re.search(r'"name"\s*:\s*"(AD\w*|\w+)"\s*,\s*"label"', start)
        return _domain(name[1] if name else path.stem, "Dataset-JSON")
    if '"resourceType"' in start:
        return Recognition("fhir", "FHIR resources")
    return Recognition(None, "a JSON file that is neither FHIR nor Dataset-JSON")


def _xml(start: str) -> str:
    """Say what an XML file is, and what to give in its place."""
    if re.search(r"<(?:\w+:)?ODM\b", start):
        own = "redcap" in start.casefold()
        instead = ("export the records as CSV (raw data), and the data dictionary beside them" if own
                   else "export its data as CSV, or as Dataset-JSON")  # fmt: skip
        return f"an ODM file (CDISC's XML){' of REDCap' if own else ''}, which is not read: {instead}"
    if "hl7.org/fhir" in start:
        return "FHIR in XML, which is not read: export it as JSON or NDJSON"
    return "an XML file, which is not read: export it as CSV"


def _sas(path: Path) -> Recognition:
    if re.match(r"(?i)ad[a-z]", path.stem) or b"PARAMCD" in read_start(path, START):
        return Recognition("adam", f"a SAS file of ADaM ({path.name})")
    return _domain(path.stem, "a SAS file")


def _domain(name: str, what: str) -> Recognition:
    adam = name.casefold().startswith("ad")
    return Recognition("adam" if adam else "sdtm", f"{what} named {name.upper()}")


def _named(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:3])
