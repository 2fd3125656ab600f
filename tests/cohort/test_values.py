from datetime import date

import pytest

from reinfuse.tabular import cell_parsing
from reinfuse.tabular.cell_parsing import decimal_mark, read_choice, read_date, read_number, read_yes_no

NUMBERS = [
    ("2000000", 2e6, None),
    ("-14", -14, None),
    ("+3", 3, None),
    ("−3", -3, None),
    ("12.5", 12.5, None),
    (".5", 0.5, None),
    ("5.", 5, None),
    ("0.125", 0.125, None),
    ("2e6", 2e6, "power of ten"),
    ("2E+06", 2e6, "power of ten"),
    ("1.5 e-4", 1.5e-4, "power of ten"),
    ("2x10^6", 2e6, "power of ten"),
    ("2 x 10^6", 2e6, "power of ten"),
    ("2X10^6", 2e6, "power of ten"),
    ("2×10⁶", 2e6, "power of ten"),
    ("1.5·10⁻⁴", 1.5e-4, "power of ten"),
    ("2*10**6", 2e6, "power of ten"),
    ("10^6", 1e6, "power of ten"),
    ("2 x 10^(-4)", 2e-4, "power of ten"),
    ("2,000,000", 2e6, "thousands separators"),
    ("2,000,000.5", 2000000.5, "thousands separators"),
    ("2.000.000", 2e6, "thousands separators"),
    ("1.000,5", 1000.5, "thousands separators"),
    ("2 000 000", 2e6, "thousands separators"),
    ("2'000'000", 2e6, "thousands separators"),
    ("2’000’000", 2e6, "thousands separators"),
    ("1,25", 1.25, "decimal comma"),
    ("0,500", 0.5, "decimal comma"),
    ("-0,5", -0.5, "decimal comma"),
    ("1234,567", 1234.567, "decimal comma"),
]


@pytest.mark.parametrize(("text", "value", "how"), NUMBERS)
@pytest.mark.parametrize("mark", [".", ",", None])
def test_a_number_with_one_reading_is_read_whatever_the_column_shows(text, value, how, mark):
    read = read_number(text, mark)
    assert (read.value, read.how, read.rule) == (pytest.approx(value, rel=1e-15), how, None)


NO_NUMBERS = [
    "2x106", "<5", ">100", "5%", "2e6 cells", "2 million", "- 3", "1.2.3", "1,50,000", "1,5e6", "5,", ",", "e6", "inf",
    "0x10", "1_000", "2-3", "1/2", "12a", "007 500", "2x10^", "yes", "①",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_NUMBERS)
@pytest.mark.parametrize("mark", [".", ",", None])
def test_what_is_no_number_is_a_problem(text, mark):
    read = read_number(text, mark)
    assert (read.value, read.rule) == (None, "is not a number")
    assert "2000000" in read.remedy


def test_a_number_too_great_to_hold_is_a_problem():
    assert (read_number("1e400").value, read_number("1e400").rule) == (
        None,
        "is beyond 1e+12, the largest accepted number",
    )


@pytest.mark.parametrize(
    ("text", "mark", "value", "how"),
    [
        ("1,500", ".", 1500, "thousands separators"),
        ("1,500", ",", 1.5, "decimal comma"),
        ("1.500", ".", 1.5, None),
        ("1.500", ",", 1500, "thousands separators"),
        ("-12,500", ",", -12.5, "decimal comma"),
    ],
)
def test_a_number_with_two_readings_follows_the_mark_of_its_column(text, mark, value, how):
    read = read_number(text, mark)
    assert (read.value, read.how, read.rule) == (value, how, None)


@pytest.mark.parametrize("text", ["1,500", "1.500", "-12,500", "999.999"])
def test_a_number_with_two_readings_is_a_problem_where_the_mark_is_open(text):
    read = read_number(text, None)
    assert (read.value, read.rule) == (None, "is an ambiguous number")


@pytest.mark.parametrize(
    ("texts", "dialect", "mark"),
    [
        (["1,500", "300"], "point", "."),
        (["1,500", "300"], "either", None),
        (["1.500"], "either", None),
        (["1,500", "1,25"], "either", ","),
        (["1,500", "1,25"], "point", ","),
        (["1,500", "0,500"], "either", ","),
        (["1,500", "12.5"], "either", "."),
        (["1,500", "1.5e3"], "either", "."),
        (["1.500", "1.234.567,8"], "either", ","),
        (["1,500", "1,25", "12.5"], "point", None),
        ([], "point", "."),
        ([], "either", None),
    ],
)
def test_the_decimal_mark_comes_from_texts_that_show_it(texts, dialect, mark):
    assert decimal_mark(texts, dialect) == mark


DATES = [
    ("2024-03-05", date(2024, 3, 5), None),
    ("2024-3-5", date(2024, 3, 5), "date"),
    ("2024/03/05", date(2024, 3, 5), "date"),
    ("2024.03.05", date(2024, 3, 5), "date"),
    ("2024-03-05T10:30:00", date(2024, 3, 5), "date"),
    ("2024-03-05 10:30", date(2024, 3, 5), "date"),
    ("5 March 2024", date(2024, 3, 5), "date with the month's name"),
    ("05-Mar-2024", date(2024, 3, 5), "date with the month's name"),
    ("5. mar. 2024", date(2024, 3, 5), "date with the month's name"),
    ("Mar 5, 2024", date(2024, 3, 5), "date with the month's name"),
    ("March 5 2024", date(2024, 3, 5), "date with the month's name"),
    ("1 Sept 2024", date(2024, 9, 1), "date with the month's name"),
    ("2024-02-29", date(2024, 2, 29), None),
    ("45356", date(2024, 3, 5), "Excel day number as a date"),
    ("45356.0", date(2024, 3, 5), "Excel day number as a date"),
]


@pytest.mark.parametrize(("text", "day", "how"), DATES)
def test_a_date_with_one_reading_is_read(text, day, how):
    read = read_date(text)
    assert (read.value, read.how, read.rule) == ((day - date(1970, 1, 1)).days, how, None)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("03/04/2024", "is not an unambiguous date"),
        ("15/03/2024", "is not an unambiguous date"),
        ("15.03.2024", "is not an unambiguous date"),
        ("24-03-05", "is not an unambiguous date"),
        ("2024-03", "is not an unambiguous date"),
        ("March 2024", "is not an unambiguous date"),
        ("2024-03/05", "is not an unambiguous date"),
        ("5 Ma 2024", "is not an unambiguous date"),
        ("5 Marx 2024", "is not an unambiguous date"),
        ("20240305", "is not an unambiguous date"),
        ("45356.5", "is not an unambiguous date"),
        ("812", "is not an unambiguous date"),
        ("unknown", "is not an unambiguous date"),
        ("2024-02-30", "is not a calendar date"),
        ("2023-02-29", "is not a calendar date"),
        ("2024-13-01", "is not a calendar date"),
        ("31 April 2024", "is not a calendar date"),
        ("1949-12-31", "is not between the years 1950 and 2100"),
        ("2101-01-01", "is not between the years 1950 and 2100"),
        ("79999", "is not between the years 1950 and 2100"),
    ],
)
def test_any_other_date_is_a_problem(text, rule):
    read = read_date(text)
    assert (read.value, read.rule) == (None, rule)
    assert "YYYY-MM-DD" in read.remedy


@pytest.mark.parametrize(
    ("text", "value", "how"),
    [
        ("yes", "yes", None),
        ("no", "no", None),
        ("1", "yes", None),
        ("0", "no", None),
        ("Yes", "yes", "yes or no"),
        ("N", "no", "yes or no"),
        ("TRUE", "yes", "yes or no"),
        ("False", "no", "yes or no"),
        ("1.0", "yes", "yes or no"),
        ("unknown", None, "missing"),
    ],
)
def test_yes_and_no(text, value, how):
    read = read_yes_no(text)
    assert (read.value, read.how, read.rule) == (value, how, None)


@pytest.mark.parametrize("text", ["2", "10", "maybe", "x", "yes?", "ja", "-1"])
def test_what_is_neither_yes_nor_no_is_a_problem(text):
    assert (read_yes_no(text).value, read_yes_no(text).rule) == (None, "is neither yes nor no")


CHOICES = ("CR", "CRi", "PR")
WORDS = {"complete remission": "CR"}


@pytest.mark.parametrize(
    ("text", "free", "value", "how"),
    [
        ("CRi", False, "CRi", None),
        ("cri", False, "CRi", "spelling"),
        ("Complete Remission", False, "CR", "spelling"),
        ("Unknown", False, None, "missing"),
        ("Unknown", True, None, "missing"),
        ("very good", True, "very good", None),
    ],
)
def test_a_choice_is_read_in_any_case_or_known_spelling(text, free, value, how):
    read = read_choice(text, CHOICES, WORDS, free=free)
    assert (read.value, read.how, read.rule) == (value, how, None)


def test_a_choice_that_is_not_known_is_a_problem_that_names_the_nearest():
    read = read_choice("CRii", CHOICES, WORDS, free=False)
    assert (read.value, read.rule) == (None, "is not an accepted value")
    assert read.remedy == "did you mean CRi? use one of: CR, CRi, PR"


@pytest.mark.parametrize("text", ["", "NA", "n/a", "#N/A", "NaN", "null", ".", "-", "--", "–", "?", "n.a.", "Not done"])
def test_words_for_a_missing_value(text):
    assert cell_parsing.is_missing(text)


@pytest.mark.parametrize("text", ["0", "no", "none", "nan2", "x"])
def test_what_is_not_missing(text):
    assert not cell_parsing.is_missing(text)


def test_odd_spaces_and_marks_are_cleaned():
    assert cell_parsing.clean("\ufeff  two\u00a0 \t words\u200b ") == "two words"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (2e6, "2000000"),
        (0.125, "0.125"),
        (7, "7"),
        (date(2024, 3, 5), "2024-03-05"),
        ("x", "x"),
    ],
)
def test_typed_cells_as_texts(value, text):
    assert cell_parsing.as_text(value) == text
