"""Words of centres for the choices of the contract: sex, diagnosis, reason, cause of death, assay, kind of therapy.

A word stands here only where it has one meaning whatever the centre: ``M`` is left to the reader of a whole column
where ``H`` or ``V`` stands beside it (Spanish *mujer*), "refractory" and "infection" are asked about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from reinfuse.cohort.schema import TABLES, WIDE, Column
from reinfuse.sources.values.understood import Understood, plain, unaccented


def _by_word(spelt: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({word.strip(): meaning for meaning, words in spelt.items() for word in words.split("|")})


YES_NO = _by_word({
    "yes": "yes|y|true|ja|j|oui|o|si|s|present|vorhanden|checked|是|有|1|1.0",
    "no": "no|n|false|nein|non|absent|none|keine|unchecked|无|無|否|0|0.0",
})  # fmt: skip
_SEX = _by_word({
    "F": "f|fem|female|w|weiblich|frau|woman|femme|feminin|femenino|feminino|femmina|donna|mujer|mulher|girl|vrouw|"
         "kvinna|kvinne|"
         "kvinde|kobieta|zena|女|女性",
    "M": "m|masc|male|maennlich|mann|man|homme|masculin|masculino|maschio|uomo|hombre|homem|varon|boy|mezczyzna|muz|"
         "男|男性",
    "other": "other|divers|d|diverse|intersex|nonbinary|non-binary",
})  # fmt: skip
HISTOLOGIES = _by_word({
    "NHL": "dlbcl|dlbcl nos|diffuse large b-cell lymphoma|diffuse large b cell lymphoma|diffuse grosszelliges "
           "b-zell-lymphom|fl|follicular lymphoma|follikulaeres lymphom|tfl|transformed fl|"
           "transformed follicular lymphoma|"
           "mcl|mantle cell lymphoma|mantelzelllymphom|mzl|marginal zone lymphoma|pmbcl|pmbl|hgbl|hgbcl|"
           "high-grade b-cell lymphoma|high grade b-cell lymphoma|thrlbcl|burkitt lymphoma|burkitt|tmzl|"
           "transformed mzl|smzl|nmzl|fl grade 3b|fl3b|"
           "lbdgc|lbdcg|ldgcb|lf|lcm|lzm|lbpm|lf transforme|lf transf|lb mediastin|"
           "gcb dlbcl|abc dlbcl|dlbcl gcb|dlbcl abc|dlbcl non-gcb|pcnsl|lbcl|large b-cell lymphoma",
    "ALL": "ph+ all|ph- all|ph+ b-all|ph- b-all|ph-positive all|ph-negative all|ph-like all|b-all ph+|b-all ph-|"
           "common all|pre-b-all|pre-b all|t-all",
})  # fmt: skip
"""Histologies that say the diagnosis; what is not here is a diagnosis of its own, and stays as it stands."""
_OTHER_DISEASES = frozenset(
    "mm|multiple myeloma|myeloma|myelom|multiples myelom|aml|cml|mds|mpn|hl|hodgkin|hodgkin lymphoma|hodgkin-lymphom|"
    "wm|"
    "waldenstroem|waldenstrom|pcl|plasma cell leukemia|amyloidosis|al amyloidosis|t-cell lymphoma|"
    "ptcl|sle|lupus|systemic sclerosis|myasthenia gravis|ms|multiple sclerosis|neuroblastoma|glioblastoma|other|"
    "andere|autre|"
    "otra|altro|solid tumor".split("|")
)
"""Diagnoses of their own, which stay as they stand."""
_DIAGNOSES = _by_word({
    "ALL": "lla|lla-b|b-lal|lal|ph+ lal|lal-b ph+|lal-b ph-|lla-b ph+|lla-b ph-|acute lymphoblastic leukaemia|"
           "acute lymphoblastic leukemia|acute lymphatic leukemia|b-cell all|bcp-all|"
           "b-cell acute lymphoblastic leukemia|akute lymphatische leukaemie|lal|lal-b|"
           "b-cell precursor all",
    "CLL": "kll|chronic lymphocytic leukaemia|chronic lymphocytic leukemia|sll|cll-sll|sll/cll|"
           "chronische lymphatische leukaemie|llc|chronic lymphocytic leukemia/sll",
    "NHL": "nh lymphoma|b-cell nhl|non hodgkin lymphoma|non-hodgkin-lymphom|lnh|aggressive b-nhl|indolent b-nhl|"
           "b-cell lymphoma",
})  # fmt: skip
_QUALIFIERS = re.compile(
    r"(?<![\w+-])(?:nos|(?:non-?)?gcb|abc|dh|th|double[ -]hit|triple[ -]hit|gr(?:ade)?\.? ?(?:i{1,3}|[1-3]) ?[ab]?|"
    r"blastoid|"
    r"ph ?[+-]|ph ?(?:pos|neg)|ph-like|ph-pos(?:itive)?|ph-neg(?:ative)?|r/r|del ?17p|adult|pediatric|"
    r"paediatric)(?![\w])"
)
"""Say more of a disease, and leave the diagnosis what it is."""
_CHOICES: Mapping[str, Mapping[str, str]] = MappingProxyType({
    "sex": _SEX,
    "diagnosis": _DIAGNOSES,
    "death_cause": _by_word({
        "disease": "disease progression|progression|progressive disease|pd|progress|lymphoma|leukemia|leukaemia|"
                   "tumor|tumour|疾病进展|病情进展|原疾患|progresja|progresja choroby|"
                   "malignancy|relapse|progression of disease|cll|dlbcl|grunderkrankung|underlying disease|"
                   "lymphom|leukaemie|"
                   "disease related|disease-related|primary disease|linfoma|lymphome|lymfoom|lymfom|leucemia|leucemie|"
                   "maladie|enfermedad|malattia|ziekte|sjukdom|sygdom|sykdom|doenca|progresion|progressione|progressao|"
                   "lal|llc|cll progression|all|lymphoma progression|relapse/progression|recidiva|relapsed all|"
                   "relapsed lymphoma|"
                   "recurrence/persistence/progression of disease|died of disease",
        "treatment": "treatment related|treatment-related|toxicity|trm|crs|icans|neurotoxicity|therapy-related|"
                     "treatment toxicity|therapieassoziiert|iec-hs|cart toxicity|car-t toxicity|"
                     "treatment related mortality|"
                     "treatment-related mortality|treatment-related toxicity|nrm|toxicite|toxicidad|tossicita|"
                     "toxicidade|"
                     "toxicitet|toxiciteit|behandeling|behandling|cytokine release syndrome|treatment-related (nrm)",
        "other": "accident|suicide|cardiac|second malignancy|andere|sonstige|car accident|autre|otra|altro|annat|"
                 "anden|annen|"
                 "anders|outra|outra causa|inne|other cause|accidental death",
        "unknown": "unk|unbekannt|not known|inconnu|desconocida",
    }),
    "reason": _by_word({
        "relapse": "relapsed|rel|rezidiv|recidive|rechute|recaida|recidiva|relapse after cr|"
                   "relapse after response|aterfall|recidief",
        "progression": "pd|progressive disease|disease progression|progress|progressed|progredienz|progresion|"
                       "progressione|progressao",
        "persistent disease": "persistent|residual disease|persistierende erkrankung|persistence of disease|residual",
        "no response": "non-response|nonresponse|non response|kein ansprechen|no initial response|pas de reponse|"
                       "mancata risposta|sin respuesta|geen respons",
        "planned": "split dose|split|planned second dose|planned second infusion|geplant",
    }),
    "method": _by_word({"flow": "flow cytometry|mfc|fcm|facs|durchflusszytometrie|multiparameter flow cytometry",
                        "NGS": "clonoseq|igh ngs|next generation sequencing|next-generation sequencing|ights|"
                               "ig-hts|hts",
                        "PCR": "qpcr|aso-pcr|rt-pcr|rq-pcr|ddpcr"}),
    "compartment": _by_word({"marrow": "bm|bone marrow|km|knochenmark|bma|marrow aspirate|bone marrow aspirate|moelle",
                             "blood": "pb|peripheral blood|blut|peripheres blut|pbmc|sang|sangre|whole blood"}),
    "unit": _by_word({"cells/uL": "cells/µl|cells/μl|/ul|/µl|/μl|per ul|cells/mm3|/mm3|cells per ul|zellen/µl|"
                                  "zellen/μl",
                      "copies/ug": "copies/µg|copies/μg|copies/ug dna|copies/µg dna|vcn/ug|kopien/µg|"
                                   "transgene copies/ug"}),
    "subset": _by_word({"total": "all|cd3|cd3+|cart|car-t|car+", "CD4": "cd4+", "CD8": "cd8+"}),
    "therapies.kind": _by_word({
        "allo-HCT": "allo|allosct|allo sct|allohct|allohsct|allo-hsct|allo hsct|allogeneic sct|allogeneic hct|"
                    "allogeneic hsct|allogeneic transplant|allo-sct|allo-tx|allo transplant|allogene szt",
        "auto-HCT": "auto|autosct|auto sct|autohct|auto-hsct|autohsct|asct|autologous sct|autologous hct|"
                    "autologous transplant|auto hsct|auto transplant|autologe szt",
        "radiation": "rt|xrt|radiotherapy|radiation therapy|bestrahlung|strahlentherapie|radiotherapie|"
                     "radioterapia|rtx",
        "supportive": "support|best supportive care|bsc|ivig|g-csf|gcsf",
        "anticancer": "chemo|chemotherapy|chemotherapie|immunotherapy|targeted|targeted therapy|salvage|"
                      "salvage chemotherapy",
    }),
    "toxicities.kind": _by_word({"CRS": "cytokine release|cytokine-release syndrome|zytokinfreisetzungssyndrom",
                                 "ICANS": "immune effector cell-associated neurotoxicity syndrome|"
                                          "immune effector cell associated neurotoxicity syndrome",
                                 "NT": "neurotox|ctcae neurotoxicity"}),
})  # fmt: skip


def read_yes_no(text: str) -> Understood | None:
    """Read yes or no, in five languages, or 1 and 0.

    Examples
    --------
    >>> read_yes_no("Ja").parts, read_yes_no("x")
    ({'yes_no': 'yes'}, None)
    """
    answer = YES_NO.get(unaccented(plain(text)))
    return None if answer is None else Understood({"yes_no": answer}, "" if answer == text else "yes or no")


def read_diagnosis(text: str) -> Understood | None:
    """Read a diagnosis; a histology that says it (DLBCL) gives both, a text that is not known is left open.

    Examples
    --------
    >>> read_diagnosis("DLBCL").parts, read_diagnosis("B-ALL").parts, read_diagnosis("MM").parts
    ({'diagnosis': 'NHL', 'histology': 'DLBCL'}, {'diagnosis': 'ALL'}, {'diagnosis': 'MM'})
    """
    low = unaccented(plain(text))
    bare = " ".join(re.sub(r"[(),;]", " ", _QUALIFIERS.sub(" ", low)).split()).strip(" -")
    spellings = tuple(s for one in (low, bare) for s in (one, one.replace(" ", "-"), one.replace("-", " ")))
    if histology := next((s for s in spellings if s in HISTOLOGIES), None):
        return Understood({"diagnosis": HISTOLOGIES[histology], "histology": text}, "histology that says the diagnosis")
    if (diagnosis := next((d for s in spellings if (d := read_choice("diagnosis", s))), None)) is not None:
        return Understood(diagnosis.parts, "" if diagnosis.parts["diagnosis"] == text else "word for a diagnosis")
    if (short := re.fullmatch(r"(.+?)\s*\((all|cll|nhl)\)", low)) and (whole := read_diagnosis(short[1])) is not None:
        agreed = whole.parts == {"diagnosis": short[2].upper()}
        return Understood(whole.parts, "word for a diagnosis") if agreed else None
    named = {"all", "cll", "nhl", "sll", "lal", "lla", "llc", "kll", "lnh", *HISTOLOGIES}
    mixed = set(re.findall(r"[a-z]+", low)) & named or re.search(r"l[yi](?:m|n)[pf]h?om|leuk|leuc|richter", low)
    plain_name = re.sub(r"\s*\(.*\)$", "", text)
    if plain_name != text and unaccented(plain(plain_name)) in _OTHER_DISEASES and not mixed:
        return Understood({"diagnosis": plain_name, "histology": text}, "diagnosis with more in brackets")
    known = bare in _OTHER_DISEASES or low in _OTHER_DISEASES
    return Understood({"diagnosis": text}) if known and not mixed else None


def read_choice(column: str, text: str) -> Understood | None:
    """Read one of the choices that the contract has for a column (``reason``; ``therapies.kind``), or None."""
    name = column.rpartition(".")[2]
    declared = declaration(column)
    low = unaccented(plain(text))
    if declared is None:
        return None
    named = {choice.casefold(): choice for choice in declared.choices} | dict(declared.words)
    meaning = named.get(plain(text)) or named.get(low) or _CHOICES.get(column, _CHOICES.get(name, {})).get(low)
    return None if meaning is None else Understood({name: meaning}, "" if meaning == text else "word of the centre")


def declaration(column: str) -> Column | None:
    """Return the contract's column of that name, with or without its table before it: ``therapies.kind``."""
    table, _, name = column.rpartition(".")
    tables = [TABLES[table]] if table in TABLES else [WIDE] if table == WIDE.name else [*TABLES.values(), WIDE]
    return next((c for t in tables if (c := t.column(name)) is not None), None)


def _is_number(text: str) -> bool:
    return text.replace(".", "").replace(",", "").isdigit()
