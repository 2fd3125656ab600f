"""Responses as centres write them: ``CR MRD-``, ``CRi/MRD-``, ``PD (D28)``, ``PR (iwCLL)``, ``CMR``.

What a word does not settle stays open: "no response" and "refractory" may be SD or PD, "continued CR" was there before
the infusion, and a very good partial remission (VGPR) belongs to no criteria of the contract.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from reinfuse.cohort.schema import RESPONSE_WORDS, RESPONSES
from reinfuse.sources.values.dates import DATES, read_source_date
from reinfuse.sources.values.residual_disease import mrd_within
from reinfuse.sources.values.understood import Understood, plain, unaccented

_SPELT = {
    "CR": "car|cru|scr|stringent cr|complete|complete metabolic response|complete metabolic remission|"
          "complete anatomic response|"
          "complete radiologic response|complete radiological response|unconfirmed complete remission|"
          "unconfirmed complete response|komplette remission|vollremission|remission complete|reponse complete|"
          "respuesta completa|remision completa|risposta completa|remissione completa|resposta completa|"
          "rc|rmc|reponse metabolique complete|完全缓解|完全寛解",
    "CRi": "rci|crh|cr with incomplete recovery|cr with incomplete count recovery|cr with partial hematologic recovery|"
           "cr with incomplete hematologic recovery|cr with incomplete haematological recovery|"
           "cr with incomplete marrow recovery",
    "nPR": "nodular pr|nodular partial remission|nodular partial response",
    "PR": "par|partial|partial metabolic response|partial metabolic remission|partial anatomic response|"
          "partielle remission|teilremission|reponse partielle|remission partielle|respuesta parcial|"
          "remision parcial|risposta parziale|remissione parziale|resposta parcial|"
          "rp|rmp|reponse metabolique partielle|部分缓解|部分寛解",
    "SD": "smd|sad|stable|no metabolic response|stable metabolic disease|stable anatomic disease|stabil|"
          "stabile erkrankung|maladie stable|enfermedad estable|malattia stabile|doenca estavel|stabiele ziekte|"
          "stabil sjukdom|ee|ms|"
          "stable disease / no response|疾病稳定|病情稳定",
    "PD": "pad|pe|pm|progress|progressed|progressive|progredient|progredienz|progressive metabolic disease|"
          "progressive anatomic disease|disease progression|progressive erkrankung|rezidiv|recidive|rechute|recaida|"
          "maladie progressive|progresion|enfermedad progresiva|relapse/progression|relapsed disease|pd/relapse|pod|"
          "progressione|malattia in progressione|doenca progressiva|progressieve ziekte|progressiv sjukdom|"
          "progression of disease|progressed again|疾病进展|病情进展|复发|増悪",
    "NE": "not evaluated|nicht beurteilbar|non evaluable|no evaluable|inevaluable|unevaluable",
}  # fmt: skip
WORDS = MappingProxyType({
    **{response.casefold(): response for response in RESPONSES}, **RESPONSE_WORDS,
    **{word: response for response, words in _SPELT.items() for word in words.split("|")},
})  # fmt: skip
"""Word in lower case, without accents -> response."""
CRITERIA = MappingProxyType(
    {"iwcll": "iwCLL", "lugano": "Lugano", "nccn": "NCCN", "cheson": "Cheson", "recil": "RECIL"}
)

_DAY = re.compile(r"\b(?:days?|d|tag|jour|dia)\s*\+?\s*(\d{1,4})\b|(?<![\w.+-])\+\s*(\d{1,4})\s*d\b")
_MONTH = re.compile(
    r"\b(?:months?|mo?|monat|mois)\s*\+?\s*(\d{1,2})\b|\b(\d{1,2})\s*(?:months?|mos?|m|monate?n?|mois)\b"
)
_CRITERIA = re.compile(rf"\b({'|'.join(CRITERIA)})(?:\s+(?:criteria|20\d\d|kriterien))*\b")
_MANNER = re.compile(
    r"\b(?:pet(?:[-/ ]?ct)?|ct|mri|mrt|flow|ngs|pcr|fcm|by|best|overall|resp(?:onse)?(?=\s*[:=])|restaging|"
    r"(?:deauville|ds|d5ps)(?:\s*(?:score)?\s*[1-5])?)\b\s*[:=]?"
)
"""Says how it was assessed, and not what it was."""
_SCORE = re.compile(r"\(\s*d\s*[1-5]\s*\)")
"""The Deauville score, ``CMR (D2)``: nobody is in remission on a day so early, but ``PD (D5)`` may mean the day."""
_REMISSIONS = frozenset({"CR", "CRi", "nPR", "PR"})
_METABOLIC = re.compile(r"\b(?:[cpns]mr|[ps]md|metabolic)\b")
_MRD_LEVEL = re.compile(r"(\bmrd\d?\s*(?:pos\w*|detect\w*|\+))[\s:,(=]*\d+(?:[.,]\d+)?\s*%\)?")
"""The level behind a positive result: ``CRi MRD pos 0.2%``."""
_SPLIT = re.compile(r"[(),;@|/\[\]]|\bon\b|\bam\b|\bvom\b|\bat\b|\bund\b|\band\b")


def read_response(text: str, *, order: str = "") -> Understood | None:
    """Read a response with what stands beside it.

    Parameters
    ----------
    text
        One cell.
    order
        Order of day, month and year in a date beside the response.

    Returns
    -------
    Understood or None
        `response`, and where they are told `mrd`, `day` (from the infusion), `month`, `date` and `criteria`. None
        where two responses are told (``PR -> CR``), a word is unknown, or a date can be read in two ways.

    Examples
    --------
    >>> read_response("CRi/MRD-").parts, read_response("PD (D28)").parts, read_response("NR")
    ({'response': 'CRi', 'mrd': 'undetectable'}, {'response': 'PD', 'day': '28'}, None)
    """
    low = unaccented(plain(text))
    if low in WORDS:
        return Understood({"response": WORDS[low]}, "" if WORDS[low] == text else "word for a response")
    unsure = bool(_SCORE.search(low)) and not _METABOLIC.search(low)
    low = _SCORE.sub(" ", low)
    within = mrd_within(_MRD_LEVEL.sub(r"\1", low))
    if within is None:
        return None
    parts: dict[str, str] = {"mrd": within[0]} if within[0] else {}
    rest = within[1]
    for pattern, name in ((_CRITERIA, "criteria"), (_DAY, "day"), (_MONTH, "month")):
        matches = [next(g for g in m.groups() if g) for m in pattern.finditer(rest)]
        if len(set(matches)) > 1:
            return None
        if matches:
            parts[name] = CRITERIA.get(matches[0], matches[0])
            rest = pattern.sub(" ", rest)
    pieces = [p.strip(" .:=-") for p in _SPLIT.split(_dated(rest, parts, order=order))]
    words = [_MANNER.sub(" ", p).strip() if p not in WORDS else p for p in pieces]
    responses = {WORDS.get(" ".join(word.split())) for word in words if word}
    if len(responses) != 1 or None in responses or (unsure and not responses & _REMISSIONS):
        return None
    return Understood({"response": str(responses.pop()), **parts}, "response with what stands beside it")


def told_beside(text: str, *, order: str = "") -> dict[str, str]:
    """Return the day, month, date or criteria that stand beside a word which is no known response.

    Examples
    --------
    >>> told_beside("VGPR (D90)"), told_beside("refractory 2021-03-04")
    ({'day': '90'}, {'date': '2021-03-04'})
    """
    parts: dict[str, str] = {}
    rest = _dated(_SCORE.sub(" ", unaccented(plain(text))), parts, order=order)
    for pattern, name in ((_CRITERIA, "criteria"), (_DAY, "day"), (_MONTH, "month")):
        matches = {next(g for g in m.groups() if g) for m in pattern.finditer(rest)}
        if len(matches) == 1:
            one = matches.pop()
            parts[name] = CRITERIA.get(one, one)
    return parts


def _dated(rest: str, parts: dict[str, str], *, order: str) -> str:
    """Take a date out of a text in lower case; what is no date, or has two readings, stays in it."""
    for match in re.finditer(DATES, rest):
        day = read_source_date(match[0], order)
        if day is not None and "date" not in parts:
            parts["date"] = day.iso
            return f"{rest[: match.start()]} {rest[match.end() :]}"
    return rest
