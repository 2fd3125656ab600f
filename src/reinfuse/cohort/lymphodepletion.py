"""The class of a lymphodepletion regimen, from free text or from its agents.

Classes (contract): ``Cy-Flu`` = cyclophosphamide and fludarabine with nothing else; ``Cy`` = cyclophosphamide
without fludarabine, alone or with another agent; ``Flu`` = fludarabine without cyclophosphamide, alone or with
another agent; ``Other`` = any other agents, and both drugs together with a third; ``None``.
"""

from __future__ import annotations

import re

REGIMEN_CLASSES = ("Cy-Flu", "Cy", "Flu", "Other", "None")

_AGENTS = {
    "cyclophosphamide": "Cy", "cyclophosphamid": "Cy", "cyclo": "Cy", "cy": "Cy", "ctx": "Cy", "cpm": "Cy",
    "ciclofosfamida": "Cy", "ciclofosfamide": "Cy", "ciclo": "Cy", "cfm": "Cy", "cpa": "Cy",
    "zyklophosphamid": "Cy", "cyclophos": "Cy", "fludarabina": "Flu", "fluda": "Flu",
    "ciclofosf": "Cy", "ciclofosfamid": "Cy", "cyklofosfamid": "Cy", "cyclof": "Cy", "环磷酰胺": "Cy",
    "氟达拉滨": "Flu", "cytoxan": "Cy", "endoxan": "Cy", "c": "Cy",
    "fludarabine": "Flu", "fludarabin": "Flu", "fludara": "Flu", "flu": "Flu", "flud": "Flu", "f": "Flu",
}  # fmt: skip
_OTHERS = frozenset(
    "bendamustine bendamustin bendamustina bendamustyna 苯达莫司汀 benda "
    "etoposide vp16 vp-16 e melphalan mel pentostatin busulfan bu "
    "cytarabine ara-c arac ac "
    "clofarabine cladribine oxaliplatin gemcitabine rituximab alemtuzumab campath atg tbi tli ifosfamide "
    "methotrexate dexamethasone prednisone vincristine flag flag-ida ice dhap thiotepa carmustine "
    "radiation tocilizumab hydroxyurea mitoxantrone nelarabine treosulfan".split()
)
_COMPOUND = {
    "cyflu": ("Cy", "Flu"), "flucy": ("Cy", "Flu"), "fc": ("Cy", "Flu"), "cf": ("Cy", "Flu"),
    "cyfludarabine": ("Cy", "Flu"), "cye": ("Cy", "Other"), "fcr": ("Cy", "Flu", "Other"),
}  # fmt: skip
_NONE = frozenset({
    "none", "no", "no ld", "no lymphodepletion", "no conditioning", "no chemo", "no chemotherapy", "none given",
    "not given", "without ld", "keine", "keine ld", "nein", "ohne", "ohne ld", "aucune", "ninguna", "sin ld",
    "ingen", "geen", "nessuna", "nenhuma",
    "brak", "nil",
})  # fmt: skip
_PREFIX = re.compile(
    r"^(?:ld|ldc|lympho-?depletion|lymphodepleting (?:chemotherapy|chemo)|conditioning|lymphodepletion regimen|"
    r"lymphodepletierung|konditionierung)\s*[:=]\s*|\bct_(?=[a-z])"
)
_MANNER = re.compile(
    r"\b(?:dose-?\s*reduced|reduced(?:[ -]dose)?|reduziert|red\.|standard(?:[ -]dose)?|std|"
    r"(?:low|full|high)[ -]dose|only|alone|sola|solo|seule?|allein|mono(?:therapy)?|i\.?v\.?|daily|qd|q24h)(?![a-z])"
)
"""Says how the drugs were given, and not which."""
_DOSES = re.compile(
    r"\b\d[\d.,]{0,15}\s*(?:mg|g)\s*(?:/\s*(?:m\^?2|m²|kg))?(?:\s*/\s*(?:d|day)\b)?|"
    r"\b(?:days?|[dj]|tage?|jours?)\s*[-+]?\d+(?:\s*(?:to|bis|until|till|à|a|,|/|-)\s*[dj]?\s*-?\d+)*\b|"
    r"(?:\bx|×|\b\d[\d.,]{0,15}\s*[x×])\s*\d+(?:\s*(?:[dj天日]|days?|tage?|jours?|doses?)\b)?|"
    r"\b\d+\s*(?:d|days?|tage?|dgn|dagen)\b|(?:\bmg)?\s*[/]\s*m[2²]"
)
_SPLIT = re.compile(r"\s*(?:\+|/|,|;|&|\band\b|\bplus\b|\bwith\b|\bthen\b|->)\s*")


def agents_named(word: str) -> tuple[str, ...]:
    """Return the classes of the agents that one word names (``Cy``, ``Flu``, ``Other``); empty if it names none.

    Examples
    --------
    >>> agents_named("fludarabine"), agents_named("dose")
    (('Flu',), ())
    """
    return _agents_of(word) or ()


def _agents_of(word: str) -> tuple[str, ...] | None:
    """Return the agents that one word names, or None if the word is not known."""
    word = word.strip(" .-–")
    if word in _AGENTS:
        return (_AGENTS[word],)
    if word in _OTHERS:
        return ("Other",)
    if word.replace("-", "").replace(" ", "") in _COMPOUND:
        return _COMPOUND[word.replace("-", "").replace(" ", "")]
    stem = re.fullmatch(r"([a-z]{2,})\d{1,4}", word)
    if stem and stem[1] in {**_AGENTS, **_COMPOUND}:  # Flu30, Cy500
        return _agents_of(stem[1])
    parts = [p for p in re.split(r"[\s\-–]+", word) if p and not p.isdigit()]
    if not parts or parts == [word]:
        return None
    agents = [_agents_of(p) for p in parts]
    if any(f is None for f in agents):
        return None
    return tuple(agent for f in agents if f is not None for agent in f)


def regimen_class(text: str) -> str | None:
    """Return the regimen class of a lymphodepletion, or None if a word of it is not understood.

    Parameters
    ----------
    text
        Free text such as ``Cy/Flu``, ``LD: Flu-Cy (reduced)``, ``fludarabine 30 mg/m2 x3 + cyclophosphamide``,
        ``CT_CY|CT_FLUD``, ``none``; a text that begins with ``other`` is of the class ``Other``, whatever follows.

    Returns
    -------
    str or None
        One of `REGIMEN_CLASSES`.

    Examples
    --------
    >>> regimen_class("Fludarabine + Cyclophosphamide"), regimen_class("Cy/E"), regimen_class("none")
    ('Cy-Flu', 'Cy', 'None')
    """
    plain = " ".join(text.casefold().replace("−", "-").replace("|", " + ").split())
    plain = " ".join(_MANNER.sub(" ", _PREFIX.sub("", plain)).split())
    if plain in _NONE:
        return "None"
    if plain.startswith("other"):
        return "Other"
    bare = " ".join(_DOSES.sub(" ", re.sub(r"[()]", " ", plain)).split())
    words = [w for w in _SPLIT.split(bare) if w.strip(" .-–0123456789")]
    named = [_agents_of(w) for w in words]
    if not words or any(f is None for f in named):
        return None
    agents = {agent for f in named if f is not None for agent in f}
    if agents == {"Cy", "Flu"}:
        return "Cy-Flu"
    if "Cy" in agents and "Flu" not in agents:
        return "Cy"
    return "Flu" if "Flu" in agents and "Cy" not in agents else "Other"
