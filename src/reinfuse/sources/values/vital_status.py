"""Death and last contact as centres write them: a date alone, ``died 12 May 2021``, ``alive 3/2024``, ``dead``."""

from __future__ import annotations

import re

from reinfuse.sources.values.dates import DATES, SourceDate, read_source_date
from reinfuse.sources.values.understood import Understood, plain, unaccented
from reinfuse.sources.values.words import read_choice

DEAD, ALIVE = "dead", "alive"
_WORDS = {
    DEAD: "died dead deceased death expired exitus verstorben tot gestorben decede mort morto muerto fallecido "
          "fallecida exitus-letalis dod dnrm doc † + d. rip dcd deceduto deceduta overleden avliden doed 死亡",
    ALIVE: "alive living lives lebt lebend vivant vivante vivo viva alive-and-well a&w awd aned ned ned-alive "
           "alive-with-disease alive-without-disease levend levande 存活 生存",
}  # fmt: skip
WORDS = {word: status for status, words in _WORDS.items() for word in words.split()}
"""Word in lower case -> `DEAD` or `ALIVE`."""
_LOST = (
    "lost to follow-up",
    "ltfu",
    "lost to follow up",
    "last seen",
    "last contact",
    "last fu",
    "last f/u",
    "lfu",
    "seen",
)
"""Say that the patient was last seen then, and alive."""
_SEEN = r"(?:last )?(?:seen|clinic|visit|contact|review(?:ed)?|follow-?up|fu|f/u|appointment|opd|known alive)"
_IN_SENTENCE = re.compile(
    rf"(?P<word>{'|'.join(re.escape(w) for w in sorted(WORDS, key=len, reverse=True) if w not in '+†d.')})\b[^\d]*?"
    rf"(?:[\s:,;(=-]*(?:on |am |le |el |{_SEEN}:? ?(?:on )?)?[\s(]*)(?P<date>{DATES})(?P<rest>.*)"
)
_CAUSES = {"dod": "disease", "dnrm": "treatment", "doc": "other"}
"""Dead of disease, of non-relapse mortality, of another cause."""
_DIED_OF = re.compile(r"^[\s:,;(=-]*(?:(?:of|due to|from|cause)\b:?)?")
_DATE_AND_NOTE = re.compile(rf"({DATES})\s*\(([^()\d]+)\)")
"""A date with words in brackets: ``12/12/19 (sepsis)``."""
_JOIN = r"[\s:,;(=-]*(?:on|am|le|el|as of|in|at|stand|seit|since)?[\s:(]*"


def read_vital_status(text: str, *, order: str = "") -> Understood | None:
    """Read a cell that tells of death or of last contact.

    Returns
    -------
    Understood or None
        `status` (``dead`` or ``alive``) where a word says it, and `date`, which is `death` as well for the dead and
        `last_contact` for the living. A date alone has `date` alone: the column says of what.

    Examples
    --------
    >>> read_vital_status("died 12 May 2021").parts
    {'status': 'dead', 'date': '2021-05-12', 'death': '2021-05-12'}
    >>> read_vital_status("alive 3/2024").parts["last_contact"], read_vital_status("2024-03-02").parts
    ('2024-03', {'date': '2024-03-02'})
    """
    low = unaccented(plain(text))
    day = read_source_date(low, order)
    if day is not None:
        return Understood({"date": day.iso}, day.how)
    status, rest = _status(low)
    if status is None:
        day = read_source_date(beside[1], order) if (beside := _DATE_AND_NOTE.fullmatch(low)) else None
        return None if day is None else Understood({"date": day.iso}, "date, and a note in brackets")
    if not rest:
        return Understood({"status": status}, "vital status")
    day = read_source_date(rest, order)
    if day is None and not re.search(r"\d", rest):
        return _in_words(status, rest)
    return _in_a_sentence(low, order) if day is None else _dated(status, day)


def cause_beside(text: str) -> Understood | None:
    """Read the cause of death from what a cell says of the vital status.

    Returns
    -------
    Understood or None
        `death_cause` where the cell tells it, else `status` alone; None where its words are not understood.

    Examples
    --------
    >>> cause_beside("died 3 Feb 2021 (PD)").parts, cause_beside("alive 3/2024").parts, cause_beside("dead of B")
    ({'death_cause': 'disease'}, {'status': 'alive'}, None)
    """
    low = unaccented(plain(text))
    status, rest = _status(low)
    if status is None and (beside := _DATE_AND_NOTE.fullmatch(low)):
        return read_choice("death_cause", beside[2].strip())
    if status != DEAD:
        return None if status is None else Understood({"status": status}, "vital status")
    if own := _CAUSES.get(re.sub(DATES, " ", low).strip(" .,;:()-")):
        return Understood({"death_cause": own}, "cause of death in short")
    words = _DIED_OF.sub("", re.sub(DATES, " ", rest)).strip(" .,;:()-?")
    if not words:
        return Understood({"status": status}, "vital status")
    cause = read_choice("death_cause", words)
    return None if cause is None else Understood(cause.parts, "cause beside the death")


def is_alive(text: str) -> bool:
    """Tell whether a word says that a patient lives."""
    return WORDS.get(unaccented(plain(text))) == ALIVE


def _in_words(status: str, rest: str) -> Understood | None:
    """Read a status with words beside it and no date: ``alive in CR``, ``dead (relapse)``."""
    if any(WORDS.get(word, status) != status for word in re.findall(r"[a-z-]+", rest)):
        return None
    return Understood({"status": status}, "vital status")


def _in_a_sentence(low: str, order: str) -> Understood | None:
    """Read a sentence that begins with the status and holds one date.

    The date of a living patient must follow the status at once, or a word for a visit: it may be of a relapse.
    """
    match = _IN_SENTENCE.fullmatch(low)
    if match is None or re.search(DATES, match["rest"]):
        return None
    status, between = WORDS[match["word"]], low[match.end("word") : match.start("date")]
    seen = re.fullmatch(rf"(?:.*\b{_SEEN})?{_JOIN}:?\s*", between)
    day = read_source_date(match["date"].strip(), order)
    if day is None or (status == ALIVE and not seen):
        return None
    return _dated(status, day)


def _dated(status: str, day: SourceDate) -> Understood:
    what = "death" if status == DEAD else "last_contact"
    return Understood({"status": status, "date": day.iso, what: day.iso}, f"date of the {status}")


def _status(low: str) -> tuple[str | None, str]:
    """Return the status that a text begins or ends with, and the rest of it."""
    for phrase in _LOST:
        if low.startswith(phrase):
            return ALIVE, re.sub(rf"^{_JOIN}", "", low[len(phrase) :]).strip(" ).")
    joined = low
    for phrase in ("alive and well", "alive with disease", "alive without disease", "exitus letalis"):
        joined = joined.replace(phrase, phrase.replace(" ", "-"))
    joined = re.sub(r"^([†+])(?=\d)", r"\1 ", joined)
    first = re.match(r"[^\s:,;(]+", joined)
    word = first[0].rstrip(".") if first else ""
    if word in WORDS and word != "+":
        rest = re.sub(rf"^{_JOIN}", "", joined[len(first[0]) if first else 0 :])
        phrase_of_loss = next((phrase for phrase in _LOST if WORDS[word] == ALIVE and rest.startswith(phrase)), "")
        return WORDS[word], re.sub(rf"^{_JOIN}", "", rest[len(phrase_of_loss) :]).strip(" ).")
    before, _, last = joined.rpartition(" ")
    last = last.strip("()")
    if last in WORDS and last != "+":
        return WORDS[last], before.strip(" :,;(")
    return None, low
