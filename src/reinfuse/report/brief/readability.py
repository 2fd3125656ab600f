"""How hard a text is to read: our own counter, and the formulas for English and Spanish.

English: Flesch-Kincaid grade (Kincaid et al., Naval Technical Training Command, Research Branch Report 8-75, 1975) and
SMOG grade (McLaughlin, Journal of Reading 1969;12:639-646). Spanish: INFLESZ scale of the Szigriszt-Pazos index
(Barrio-Cantalejo et al., An Sist Sanit Navar 2008;31:135-152), of which 55 and more is "normal", and the index of
Fernandez-Huerta (Consigna 1959;214:29-32) in syllables a word and words a sentence, as its author meant it. All count
words, sentences and syllables; SMOG also the words of three or more syllables.

What counts. A sentence ends with . ! or ? before a space or at the end of the text; a line without such a mark runs on
into the next one, so that a list of fragments is one long sentence and not many easy ones. What holds no letter and no
figure is no sentence. A word is a run of letters; its apostrophes and inner hyphens belong to it, and a hyphenated word
has the syllables of its parts. A number in figures is one word of one syllable. An abbreviation in capitals is one
word, its letters spelled.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from reinfuse.exceptions import ReinfuseError

HARDEST_GRADE = 8.0
LEAST_INFLESZ = 55.0
POLYSYLLABLE = 3
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d[\d.,]*", re.UNICODE)
_ENDS = re.compile(r"[.!?]+(?=\s|$)")


class TooHard(ReinfuseError):
    """A text meant for patients is harder to read than it may be."""


@dataclass(frozen=True)
class Counted:
    """A text's words, sentences, syllables and long words."""

    words: int
    sentences: int
    syllables: int
    long_words: int

    @property
    def flesch_kincaid(self) -> float:
        """Flesch-Kincaid grade."""
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59

    @property
    def smog(self) -> float:
        """SMOG grade."""
        return 1.0430 * math.sqrt(30 * self.long_words / self.sentences) + 3.1291

    @property
    def szigriszt(self) -> float:
        """Szigriszt-Pazos index, read on the INFLESZ scale: more is easier."""
        return 206.835 - 62.3 * self.syllables / self.words - self.words / self.sentences

    @property
    def fernandez_huerta(self) -> float:
        """Fernandez-Huerta index: more is easier."""
        return 206.84 - 60 * self.syllables / self.words - 1.02 * self.words / self.sentences


def count(lines: Iterable[str], syllables: Callable[[str], int]) -> Counted:
    """Count a text of one or more lines.

    Parameters
    ----------
    syllables
        Gives the syllables of one word: `english` or `spanish`.
    """
    words = sentences = total = long_words = 0
    for sentence in _ENDS.split(" ".join(lines)):
        in_sentence = _WORD.findall(sentence)
        if not in_sentence:
            continue
        sentences += 1
        each = [1 if w[0].isdigit() else syllables(w) for w in in_sentence]
        words += len(in_sentence)
        total += sum(each)
        long_words += sum(n >= POLYSYLLABLE for n in each)
    return Counted(words, sentences, total, long_words)


def assess(lines: Iterable[str], language: str) -> str:
    """Return how hard a text is, in words.

    Raises
    ------
    TooHard
        If it is above the bound of its language.
    """
    if language == "es":
        counted = count(lines, spanish)
        verdict = f"INFLESZ {counted.szigriszt:.0f}, Fernandez-Huerta {counted.fernandez_huerta:.0f} (own count)"
        hard = counted.szigriszt < LEAST_INFLESZ
    else:
        counted = count(lines, english)
        verdict = f"Flesch-Kincaid grade {counted.flesch_kincaid:.1f}, SMOG grade {counted.smog:.1f} (own count)"
        hard = max(counted.flesch_kincaid, counted.smog) > HARDEST_GRADE
    if hard:
        raise TooHard(f"the text is too hard to read: {verdict}")
    return verdict


# Syllables


@cache
def _exceptions() -> Mapping[str, int]:
    text = files("reinfuse.report.brief").joinpath("syllables.toml").read_text(encoding="utf-8")
    return {word: number for group in tomllib.loads(text).values() for word, number in group.items()}


def english(word: str) -> int:
    """Return the syllables of an English word: the list of exceptions, else the rules."""
    plain = word.replace("’", "'").lower()
    if plain in _exceptions():
        return _exceptions()[plain]
    if "-" in plain:
        return sum(english(part) for part in word.split("-"))
    if word.isupper() and len(word) > 1:
        return sum(3 if letter == "W" else 1 for letter in word)
    plain = plain.removesuffix("'s").replace("'", "")
    base = re.sub(r"(?:[^laeiouy]es|[^td]ed|[^laeiouy]e)$", lambda m: m[0][0], plain) if len(plain) > 2 else plain
    if plain.endswith(("ses", "ces", "xes", "zes", "ches", "shes", "ges")):
        base = plain
    groups = len(re.findall(r"[aeiouy]+", re.sub(r"^y", "", base)))
    groups += len(re.findall(r"i(?:a(?!l\b)|o(?!us|n))|eo|ua|[aeo]ing|ism$", base))
    return max(groups, 1)


_STRONG, _WEAK, _ACCENTED_WEAK = "aeoáéó", "iuü", "íú"


def spanish(word: str) -> int:
    """Return the syllables of a Spanish word by the rules of diphthong and hiatus.

    Two strong vowels, or a weak one with an accent beside a strong one, are apart; all other vowels side by side are
    one syllable; a silent u (que, qui, gue, gui) is none; a y alone or at the end is a vowel.
    """
    if word == "CAR-T":
        return 2
    if "-" in word:
        return sum(spanish(part) for part in word.split("-"))
    if word.isupper() and len(word) > 1:
        return sum(2 if letter in "FHJLMNÑRSWXYZ" else 1 for letter in word)
    plain = re.sub(r"(?<=[qg])u(?=[eiéí])", "", word.lower())
    plain = re.sub(r"y$", "i", plain)
    total, before = 0, ""
    for letter in plain:
        vowel = letter in _STRONG + _WEAK + _ACCENTED_WEAK
        apart = before != "" and ((before in _STRONG and letter in _STRONG) or letter in _ACCENTED_WEAK
                                  or before in _ACCENTED_WEAK)  # fmt: skip
        if vowel and (before == "" or apart):
            total += 1
        before = letter if vowel else "" if letter != "h" else before
    return max(total, 1)
