"""A map proposed for SDTM: dated tables from DM, EX, RS, AE, DS and CM."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reinfuse.sources.cdisc.dated_tables import death_field
from reinfuse.sources.cdisc.drafts import Draft
from reinfuse.sources.cdisc.reading import OVERALL
from reinfuse.sources.cdisc.toxicity import toxicities
from reinfuse.sources.cdisc.variables import Variables
from reinfuse.sources.proposal import Proposed
from reinfuse.sources.source_map import BY_DATE, OPEN, Field
from reinfuse.sources.source_table import Source
from reinfuse.sources.values import understand
from reinfuse.sources.values.doses import dose_unit

NO_RESPONSE = "no tumour response (RSTESTCD is never OVRLRESP or BESTRESP)"
_NOT_READ = "not a domain that is read (DM, EX, RS, AE, DS, CM)"
_ENDS = ("LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT", "COMPLETED", "DEATH", "STUDY TERMINATED BY SPONSOR")
_CELLS = ("CEL", "CAR", "T CELL", "T-CELL")
_CHEMOTHERAPY = ("FLUDARABINE", "CYCLOPHOSPHAMIDE", "BENDAMUSTINE")
_ANTICANCER = ("ANTINEOPLASTIC", "CANCER", "CHEMOTHERAP", "SUBSEQUENT")


def propose_sdtm(source: Source) -> Proposed:
    """Propose how domains of SDTM become a cohort."""
    draft = Draft(source)
    tables = {_domain(t): t for t in map(Variables, source.tables)}
    whole: dict[str, str] = {}
    for name, data in tables.items():
        if drafter := _DRAFTERS.get(name):
            if why := drafter(draft, data, tables):
                whole[data.table.name] = why
        else:
            whole[data.table.name] = _NOT_READ
    return draft.proposed(whole=list(whole.items()))


def _domain(data: Variables) -> str:
    domains = data.distinct("DOMAIN")
    return domains[0].upper() if len(domains) == 1 else data.table.name


def _dm(draft: Draft, data: Variables, tables: Mapping[str, Variables]) -> str:
    del tables
    fields: dict[str, Field] = {}
    last = data.first("RFPENDTC", "RFENDTC")
    why = f"{last or 'nothing'} is the end of participation, which may not be the last contact"
    fields["last_contact"] = Field(column=last or OPEN, confirm=bool(last), confidence=0.5, reason=why,
                                   partial=_partial(data, last))  # fmt: skip
    fields["death"] = death_field(data, "DTHDTC", flag="DTHFL")
    fields["diagnosis"] = Field(const=OPEN, reason="DM has no diagnosis: write ALL, CLL, NHL or another text")
    if sex := data.first("SEX"):
        fields["sex"] = Field(column=sex)
    if age := data.first("AGE"):
        units = data.distinct("AGEU")
        fields["age_years"] = Field(column=age, confirm=[u.upper() for u in units] != ["YEARS"],
                                    reason=f"AGEU says {', '.join(units) or 'nothing'}")  # fmt: skip
    draft.add("patients", data, fields)
    return ""


def _ex(draft: Draft, data: Variables, tables: Mapping[str, Variables]) -> str:
    """Propose infusions: of several treatments those that look like cells, a block for each unit of the dose."""
    del tables
    treatments = data.distinct("EXTRT")
    cells = [t for t in treatments if any(w in t.upper() for w in _CELLS) and not _is_chemotherapy(t)]
    rows = [r for r, t in enumerate(data.texts("EXTRT")) if t in cells] if cells else range(len(data.table.rows))
    units = data.distinct("EXDOSU", rows) or [""]
    for unit in units:
        where = {data.header("EXTRT"): tuple(cells) if cells else (OPEN,)} if len(treatments) > 1 or not cells else {}
        why = "" if cells else f"which treatment is the CAR-T product: one of {', '.join(treatments)}"
        if len(units) > 1:
            where[data.header("EXDOSU")] = (unit,)
        start = data.first("EXSTDTC")
        fields = {"infusion": Field(const=BY_DATE, confirm=True, reason="numbered in the order of their dates"),
                  "date": Field(column=start or OPEN, partial=_partial(data, start))}  # fmt: skip
        if product := data.first("EXTRT"):
            fields["product"] = Field(column=product)
        if data.first("EXDOSE"):
            fields["dose_cells_per_kg"] = _dose(data, unit)
        draft.add("infusions", data, fields, where=where, reason=why)
    draft.note(data, ["EXDOSU"], "unit of the dose")
    chemotherapy = [t for t in treatments if _is_chemotherapy(t)]
    if chemotherapy:
        why = f"lymphodepletion stands in EX ({', '.join(chemotherapy)}), one row an agent: enter it as a column"
        draft.questions[f"EX: {why}"] = OPEN
    return ""


def _dose(data: Variables, unit: str) -> Field:
    """Return how a dose is read: by its unit, per kg or of all cells, of which the weight is then asked."""
    meant = dose_unit(unit) if unit else None
    column = data.header("EXDOSE")
    if meant is None:
        return Field(column=column, unit=OPEN, reason=f"EXDOSU says {unit or 'nothing'}")
    if str(meant).endswith("/kg"):
        return Field(column=column, unit=str(meant), reason=f"EXDOSU says {unit}")
    why = f"EXDOSU says {unit}: all cells, and EX has no body weight"
    weight = data.first("EXWEIGHT", "WEIGHT", "VSWEIGHT") or OPEN
    return Field(column=column, unit=str(meant), weight=weight, reason=why)


def _is_chemotherapy(text: str) -> bool:
    return any(word in text.upper() for word in _CHEMOTHERAPY)


def _rs(draft: Draft, data: Variables, tables: Mapping[str, Variables]) -> str:
    """Propose responses: overall ones alone; of several evaluators, criteria or scans, those that a person chooses."""
    del tables
    codes = [c for c in OVERALL if c in data.distinct("RSTESTCD")]
    result = data.first("RSSTRESC", "RSORRES")
    if not codes or not result:
        return NO_RESPONSE
    rows = [r for r, c in enumerate(data.texts("RSTESTCD")) if c == codes[0]]
    where: dict[str, tuple[str, ...]] = {data.header("RSTESTCD"): (codes[0],)}
    reasons = []
    for name in ("RSEVAL", "RSCAT", "RSSCAT"):
        texts = data.distinct(name, rows)
        if len(texts) > 1:
            where[data.header(name)] = (OPEN,)
            reasons.append(f"{name} is one of: {', '.join(texts)}")
    date = data.first("RSDTC")
    fields = {"date": Field(column=date or OPEN, partial=_partial(data, date)), "response": Field(column=result)}
    if criteria := _criteria(data, rows):
        fields["criteria"] = Field(const=criteria, reason=f"RSCAT says {', '.join(data.distinct('RSCAT', rows))}")
    draft.note(data, ["RSTESTCD", "RSCAT", "RSSCAT", "RSEVAL"], "chooses the records (where = ...)")
    draft.add("responses", data, fields, where=where, reason="; ".join(reasons))
    return ""


def _criteria(data: Variables, rows: Sequence[int]) -> str:
    criteria = {w for t in data.distinct("RSCAT", rows) for w in ("Lugano", "iwCLL", "NCCN") if w.upper() in t.upper()}
    return criteria.pop() if len(criteria) == 1 else ""


def _ae(draft: Draft, data: Variables, tables: Mapping[str, Variables]) -> str:
    return toxicities(draft, data, tables.get("SUPPAE"))


def _ds(draft: Draft, data: Variables, tables: Mapping[str, Variables]) -> str:
    """Propose DS for death and the end of follow-up, where DM lacks them."""
    terms, date = data.distinct("DSDECOD"), data.first("DSSTDTC")
    ends = tuple(t for t in terms if t.upper() in _ENDS)
    subjects = tables.get("DM")
    if not date or not ends:
        return "holds no end of follow-up (DSDECOD)"
    fields = {"last_contact": Field(column=date, partial=_partial(data, date), confirm=True, confidence=0.6,
                                    reason=f"the date of {', '.join(ends)} ends follow-up")}  # fmt: skip
    if "DEATH" in {t.upper() for t in terms} and (subjects is None or not subjects.first("DTHDTC")):
        dead = tuple(t for t in terms if t.upper() == "DEATH")
        fields["death"] = Field(column=date, partial=_partial(data, date), where={data.header("DSDECOD"): dead},
                                reason="DSDECOD says DEATH")  # fmt: skip
    draft.note(data, ["DSDECOD"], "chooses the records (where = ...)")
    draft.add("patients", data, fields, where={data.header("DSDECOD"): ends})
    return ""


def _cm(draft: Draft, data: Variables, tables: Mapping[str, Variables]) -> str:
    """Propose later therapies: those whose category says so; which are anticancer is for a person to confirm."""
    del tables
    drug, date = data.first("CMDECOD", "CMTRT"), data.first("CMSTDTC")
    categories = [c for c in data.distinct("CMCAT") if any(w in c.upper() for w in _ANTICANCER)]
    if not drug or not date:
        return "holds no therapy with a date"
    where = {data.header("CMCAT"): tuple(categories) if categories else (OPEN,)} if data.first("CMCAT") else {}
    fields = {"date": Field(column=date, partial=_partial(data, date)), "therapy": Field(column=drug),
              "kind": Field(const="anticancer", confirm=True,
                            reason="a therapy that is not against the cancer would end PFS wrongly")}  # fmt: skip
    draft.note(data, ["CMCAT"], "chooses the records (where = ...)")
    why = "" if categories else f"CMCAT is one of: {', '.join(data.distinct('CMCAT'))}"
    draft.add("therapies", data, fields, where=where, reason=why if where else "")
    return ""


def _suppae(draft: Draft, data: Variables, tables: Mapping[str, Variables]) -> str:
    del draft, data, tables
    return "its grades stand beside the records of AE, as AE has them"


def _partial(data: Variables, header: str) -> str:
    """Return `OPEN` where a date lacks its day or month: which day stands for it is asked."""
    for text in data.distinct(header) if header else ():
        meaning = understand("date", text)
        if meaning is not None and len(meaning.parts.get("date", "2020-01-01")) < len("2020-01-01"):
            return OPEN
    return ""


_Drafter = Callable[[Draft, Variables, Mapping[str, Variables]], str]
_DRAFTERS: Mapping[str, _Drafter] = {
    "DM": _dm, "EX": _ex, "RS": _rs, "AE": _ae, "SUPPAE": _suppae, "DS": _ds, "CM": _cm,
}  # fmt: skip
"""Domain -> what proposes it; the answer says why it is not read, or is empty."""
