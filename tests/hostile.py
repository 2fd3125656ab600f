"""Hostile inputs: texts, numbers, settings and sizes that a file may hold and no study wants.

`cases` yields all of them; `outcome` runs `check` and `analyze` on one and says how they end. As a program it runs them
all, which takes an hour: PYTHONPATH=src:tests python tests/hostile.py [--kind KIND] [--every N]
"""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree

import polars as pl

import helpers
from cohorts import EIGHT

TEXTS = (
    "$x$", "$\\frac{1}$", "$", "a$b", "$$", "US$ 5 to US$ 9", "\\", "\\alpha", "^", "_", "_x", "__x", "{", "}", "a_{",
    "%", "#", "&", "<b>", "</script><script>alert(1)</script>", '"', "'", "=1+1", "+1", "@x", "`", "[3]", "[99]",
    "[1, 2] x", "{{7*7}}", "{% x %}", "#let x = 1", "|", "a=b", "=", "a,b", "a;b", "a: b", "漢字", "🧬 cells", "مرحبا",
    "e\u0301", "\u202eabc", "a\u2066b", "x\u200by", "\x00", "x\x00", "x\x01", "\uffff", "x\uffff", "x\ufdd0",
    "\x1b[31mx", "x\x7f", "x\x85y", "x\u2028y", "x\ny", "A" * 20, "A" * 24, "A" * 40, "A" * 256, "A" * 5000,
    "word " * 60, "M" * 22, "W W W W W W W W W W W W", "inf", "-inf", "1e308", "0", "1", "yes", "true", "all",
    "All patients", "CLL=ALL", "not assessed", "best=CR", "x\U000e0041", "x\u00ad", "%s %d", "{0}", "..", "../x", "x/y",
    "\ufffd", "\U0010ffff", "Zal\u0335\u0321go", "ﷺ", "🏳️‍🌈", "ก็็็็็็็็็็",
)  # fmt: skip
NUMBERS = (
    "1e308", "-1e308", "1e300", "1e-308", "1e-320", "1e16", "-1", "0", "nan", "inf", "-inf", "9" * 5000,
    "1" + "0" * 400, "0x10", "1_000", "1e999", "1e-999", "-0", "1e15", "10**15", "2" * 300 + ".5",
    "٣", "①", "1e+1e", "1e1000000000",
)  # fmt: skip
DATES = ("0001-01-01", "9999-12-31", "10000-01-01", "0000-00-00", "2024-02-30", "1e15", "1000000000000000", "99999",
         "2024-01-01T25:00", "2100-12-31", "1950-01-01", "-2024-01-01", "2024-1-1", "٢٠٢٤-٠١-٠١")  # fmt: skip
QUICK = f"""
landmarks = []
time_dependent = []{helpers.QUICK}"""
FULL = QUICK + "\n[[factors]]\nname = 'diagnosis'\n"
HUGE = ("-1", "0", "1000000000", "1000000000000", str(2**63), str(2**64), str(2**200), "9" * 5000, "1.5", "nan", "inf",
        "-inf", "1e308", "1e-308", '"x"', "true", "[]", "{}", "0x" + "f" * 5000)  # fmt: skip
WIDE = """patient_id,diagnosis,response,pfs_days,pfs_event,os_days,os_event,marker,kind
A1,CLL,CR,100,1,200,1,1.5,a
A2,CLL,PR,150,1,300,0,2.5,b
A3,NHL,SD,50,1,80,1,3.5,a
A4,NHL,PD,30,1,60,1,0.5,b
A5,ALL,CR,400,0,400,0,1.1,a
A6,ALL,PD,25,1,210,0,2.2,b
A7,CLL,CR,320,0,320,0,0.9,a
A8,NHL,PR,90,1,180,1,1.9,b"""
Tables = dict[str, list[list[str]]]


def rows(text: str) -> list[list[str]]:
    """Return literal CSV as lists of cells."""
    return list(csv.reader(io.StringIO(text)))


def eight() -> Tables:
    """Return the literal cohort of eight patients, as few tables as show everything."""
    return {name: rows(EIGHT[name]) for name in ("patients", "infusions", "responses", "toxicities")}


@dataclass
class Case:
    """One input: its tables, written as CSV where that can hold them, else as Parquet; its plan; other files."""

    kind: str
    name: str
    tables: Tables = field(default_factory=eight)
    plan: str = FULL
    about: str | None = None

    def write(self, folder: Path) -> list[str]:
        """Write it into an empty folder, and return the arguments of a command."""
        cohort = folder / "cohort"
        cohort.mkdir()
        for name, table in self.tables.items():
            plain = all(c.isprintable() or c == "\n" for row in table for cell in row for c in cell)
            if plain:
                text = io.StringIO(newline="")
                csv.writer(text).writerows(table)
                (cohort / f"{name}.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
            else:
                head, *body = table
                frame = pl.DataFrame({h: [r[j] for r in body] for j, h in enumerate(head)})
                frame.write_parquet(cohort / f"{name}.parquet")
        if self.about is not None:
            (cohort / "about.toml").write_text(self.about, encoding="utf-8", newline="")
        (folder / "plan.toml").write_text(self.plan, encoding="utf-8", newline="")
        return [str(cohort), "--plan", str(folder / "plan.toml")]


def replaced(tables: Tables, table: str, column: str, value: str, at: set[int] | None = None) -> Tables:
    """Put a value into some rows of a column; into all, without `at`."""
    j = tables[table][0].index(column)
    for i, row in enumerate(tables[table][1:], 1):
        if at is None or i in at:
            row[j] = value
    return tables


def wide() -> Tables:
    """Return a literal wide sheet of eight patients."""
    return {"sheet": rows(WIDE)}


def toml(text: str) -> str:
    """Return a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _factor(column: str, **more: str) -> str:
    """Return a plan with one declared factor; keys hold TOML."""
    return f"{QUICK}\n[[factors]]\nname = 'x'\ncolumn = {toml(column)}\n" + "".join(
        f"{k} = {v}\n" for k, v in more.items()
    )


def _texts() -> Iterator[Case]:
    for i, text in enumerate(TEXTS):
        name = f"{i}: {text[:20]!a}"
        yield Case("level", name, replaced(eight(), "patients", "diagnosis", text, {1, 2, 8}))
        yield Case("level of a factor", name, replaced(eight(), "infusions", "product", text, {2, 4, 6, 8}),
                   _factor("product"))  # fmt: skip
        ids = eight()
        for table in ids.values():
            for row in table[1:]:
                row[0] = text if row[0] == "P1" else row[0]
        yield Case("id", name, ids)
        heads = eight()
        heads["infusions"][0][-1] = text
        yield Case("header", name, heads, _factor(text, label="'Own'"))
        yield Case("header unused", name, heads)
        yield Case("toxicity", name, replaced(eight(), "toxicities", "kind", text, {7}))
        yield Case("title", name, plan=f"title = {toml(text)}\n{FULL}")
        yield Case("label", name, plan=_factor("LDH", label=toml(text)))
        endpoint = f"[[endpoints]]\nname = 'own'\ntime = 'pfs_days'\nevent = 'pfs_event'\nlabel = {toml(text)}\n"
        yield Case("endpoint label", name, wide(), f"{FULL}\n{endpoint}")
        yield Case("wide level", name, replaced(wide(), "sheet", "kind", text, {1, 3, 5}), _factor("kind"))
        yield Case("reference", name, replaced(wide(), "sheet", "kind", text, {1, 3, 5}),
                   _factor("kind", reference=toml(text)))  # fmt: skip
        yield Case("about", name, about="".join(f"{k} = {toml(text)}\n" for k in ("title", "description", "source"))
                   + f"limits = [{toml(text)}]\nsynthetic = true\n")  # fmt: skip


def _settings() -> Iterator[Case]:
    for value in HUGE:
        name = value[:20]
        for key in ("seed", "confidence", "index_infusion", "small_cells", "title", "languages", "subgroups", "factors",
                    "models", "columns", "landmarks", "endpoints"):  # fmt: skip
            yield Case("setting", f"{key} {name}", plan=f"{key} = {value}\n{FULL}".replace("\nlandmarks = []", "")
                       if key == "landmarks" else f"{key} = {value}\n{FULL}")  # fmt: skip
        for key in ("draws", "bootstraps", "imputations", "power"):
            on = {"draws": 'calibrated = "multivariable"\n', "bootstraps": "", "imputations": "", "power": ""}[key]
            rest = "".join(x + "\n" for x in QUICK.splitlines()
                           if not x.startswith(key) and not (on and x.startswith("calibrated")))  # fmt: skip
            yield Case(
                "setting",
                f"analyses.{key} {name}",
                plan=f"{rest}{on}{key} = {value}\n[[factors]]\nname = 'diagnosis'\n",
            )
        for table, key in (("rules", "umrd_window"), ("rules", "umrd_day"), ("rules", "umrd_threshold"),
                           ("rules", "max_gap_days"), ("kinetics", "area_days"), ("kinetics", "above"),
                           ("standardise", "day"), ("standardise", "fewest")):  # fmt: skip
            shown = f"[{value}]" if key == "area_days" else f"[-5, {value}]" if key == "umrd_window" else value
            on = FULL.replace("kinetics = false", "kinetics = true").replace("standardise = false",
                "standardise = true").replace("bootstraps = 0", "bootstraps = 5")  # fmt: skip
            yield Case("setting", f"{table}.{key} {name}", {n: rows(t) for n, t in EIGHT.items()},
                       f"{on}\n[{table}]\n{key} = {shown}\n")  # fmt: skip
        for key in ("above", "per", "known_at"):
            yield Case("setting", f"factor {key} {name}", plan=_factor("LDH", **{key: value}))
        mark = f"[[landmarks]]\nfactor = 'response'\nday = {value}\n"
        yield Case("setting", f"landmark day {name}", plan=f"{FULL.replace('landmarks = []', '')}\n{mark}")
    yield from _settings_of_size()


def _settings_of_size() -> Iterator[Case]:
    for depth in (10, 500, 20_000):
        yield Case("nesting", f"arrays {depth}", plan=f"title = {'[' * depth}{']' * depth}\n{FULL}")
        yield Case("nesting", f"keys {depth}", plan=f"{'.'.join(['a'] * depth)} = 1\n{FULL}")
        yield Case("nesting", f"tables {depth}", plan=f"{FULL}\n[{'.'.join(['a'] * depth)}]\n")
        yield Case("nesting", f"inline {depth}", plan=f"x = {'{a = ' * depth}1{'}' * depth}\n{FULL}")
        yield Case("nesting", f"about {depth}", about=f"title = {'[' * depth}{']' * depth}\n")
    yield Case("nesting", "about big", about=f"title = 'x'\nlimits = {'9' * 5000}\n")
    for about in ("limits = 5", "limits = 'abc'", "title = 5", "synthetic = 'yes'", "title = nan", "limits = [[1]]"):
        yield Case("nesting", f"about {about}", about=about + "\n")
    for n in (21, 60):
        subgroups = ", ".join(f"'bulky', 'sex{i}'" for i in range(n))
        yield Case("many", f"subgroups {n}", plan=f"subgroups = [{subgroups}]\n{FULL}")
    for n in (25, 400):
        many = "".join(f"[[factors]]\nname = 'f{i}'\ncolumn = 'LDH'\nabove = {i}\n" for i in range(n))
        yield Case("many", f"factors {n}", plan=f"{QUICK}\n{many}")
        ends = "".join(f"[[endpoints]]\nname = 'e{i}'\ntime = 'pfs_days'\nevent = 'pfs_event'\n" for i in range(n))
        yield Case("many", f"endpoints {n}", wide(), f"{FULL}\n{ends}")
        marks = "".join(f"[[landmarks]]\nfactor = 'response'\nday = {i + 1}\n" for i in range(n))
        yield Case("many", f"landmarks {n}", plan=f"{FULL.replace('landmarks = []', '')}\n{marks}")
        models = "[[models]]\nendpoint = 'pfs'\nfactors = ['age_years']\n" * n
        yield Case("many", f"models {n}", plan=f"{FULL}\n{models}")
    for text in ("", " ", "\ufeff", "title = ''", "title = ' '", "title = '''\nx\ny'''", "title = 'x' 'y'", "[[plan]]",
                 "\x00", "title", "languages = ['en', 'en']", "languages = ['es', 'en', 'es']", "[columns]\n'' = ''",
                 "[columns]\npfs_days = ''", "subgroups = ['']", "subgroups = ['diagnosis', 'diagnosis']",
                 "title = " + toml("x" * 256), "title = " + toml("x" * 100_000),
                 "title = " + toml("word " * 100)):  # fmt: skip
        yield Case("plan", text[:30], plan=text + ("" if "[" in text[:2] else "\n" + FULL))
    for name in ("x" * 200, "X" * 65, "pfs2", "all", "x__y", "A" * 41):
        yield Case("name", name[:20], plan=QUICK + f"\n[[factors]]\nname = '{name}'\ncolumn = 'LDH'\n")
        own = f"\n[[endpoints]]\nname = '{name}'\ntime = 'pfs_days'\nevent = 'pfs_event'\n"
        yield Case("name", f"endpoint {name[:20]}", wide(), FULL + own)


def _cells() -> Iterator[Case]:
    for value in NUMBERS:
        name = value[:12]
        for table, column in (("patients", "age_years"), ("infusions", "dose_cells_per_kg"), ("infusions", "day"),
                              ("infusions", "infusion"), ("patients", "last_contact"), ("responses", "day"),
                              ("toxicities", "grade")):  # fmt: skip
            yield Case("number", f"{column} {name}", replaced(eight(), table, column, value, {2}))
        for at in ({1}, {1, 3}, {2, 4, 6, 8, 10, 12, 14, 16}):
            yield Case("number", f"LDH {len(at)} {name}", replaced(eight(), "infusions", "LDH", value, at),
                       _factor("LDH"))  # fmt: skip
        yield Case("number", f"log2 {name}", replaced(eight(), "infusions", "LDH", value, {2}),
                   _factor("LDH", scale="'log2'"))  # fmt: skip
        own = f"{FULL}\n[[endpoints]]\nname = 'own'\ntime = 'marker'\nevent = 'os_event'\nunit = 'years'\n"
        yield Case("number", f"own time {name}", replaced(wide(), "sheet", "marker", value, {2}), own)
        for column in ("pfs_days", "os_days", "pfs_event", "marker"):
            yield Case("number", f"wide {column} {name}", replaced(wide(), "sheet", column, value, {2}),
                       _factor("marker"))  # fmt: skip
        counts = {n: rows(t) for n, t in EIGHT.items()}
        for column in ("value", "lloq"):
            yield Case("number", f"counts {column} {name}", replaced(counts, "counts", column, value, {1}),
                       FULL.replace("kinetics = false", "kinetics = true"))  # fmt: skip
    yield from _dates()


def _dates() -> Iterator[Case]:
    for value in DATES:
        dated = eight()
        for rest in dated.values():
            rest[0] = ["date" if c == "day" else c for c in rest[0]]
        for table in dated.values():
            for j in [j for j, c in enumerate(table[0]) if c in ("date", "last_contact", "death")]:
                for row in table[1:]:
                    row[j] = str(pl.Series([20000 + int(row[j])]).cast(pl.Date)[0]) if row[j] else ""
        yield Case("date", f"valid {value}", dated)
        for table, column in (("patients", "last_contact"), ("infusions", "date"), ("responses", "date")):
            copied = {n: [list(r) for r in t] for n, t in dated.items()}
            yield Case("date", f"{table} {value}", replaced(copied, table, column, value, {2}))


def _sizes() -> Iterator[Case]:
    for n in (21, 26):
        many = wide()
        many["sheet"] = [many["sheet"][0], *([f"B{i}", f"Lymphoma {i}", "CR", str(i + 5), "1", str(i + 9), "1", str(i),
                                              f"k{i}"] for i in range(n))]  # fmt: skip
        yield Case("many", f"diagnoses {n}", many)
        yield Case("many", f"levels {n}", many, f"subgroups = []\n{_factor('kind')}")
        yield Case("many", f"subgroups of levels {n}", many, f"subgroups = ['kind']\n{_factor('marker')}")
        kinds = eight()
        kinds["toxicities"] += [["P1", "2", f"Kind {i}", "2", "125"] for i in range(n)]
        yield Case("many", f"kinds {n}", kinds)
    for n in (10, 19, 20, 21, 24, 25, 30, 60, 119, 121):
        for word in ("W" * n, "i" * n, ("Wi " * n)[:n].strip()):
            yield Case("long level", f"{n} {word[:3]}", replaced(eight(), "patients", "diagnosis", word, {1, 2, 8}))
            yield Case("long level", f"factor {n} {word[:3]}",
                       replaced(eight(), "infusions", "bulky", "yes", {2, 4, 6})
                       and replaced(eight(), "infusions", "product", word, {2, 4, 6, 8}),
                       f"{_factor('product')}[[models]]\nendpoint = 'os'\nfactors = ['x']\n")  # fmt: skip
    for size in (200, 40_000, 200_000):
        yield Case("size", f"cell {size}", replaced(eight(), "infusions", "product", "x" * size, {2}))
        heads = eight()
        heads["infusions"][0][-1] = "y" * size
        yield Case("size", f"header {size}", heads)
    columns = wide()
    for i, row in enumerate(columns["sheet"]):
        row += [f"c{j}" if i == 0 else str(i) for j in range(2000)]
    yield Case("size", "2000 columns", columns)
    for keep in (1, 2, 3):
        few = wide()
        few["sheet"] = few["sheet"][: keep + 1]
        yield Case("size", f"{keep} patients", few)
    for column, value in (("pfs_event", "0"), ("os_event", "1"), ("response", "CR"), ("pfs_days", "0"), ("kind", "a"),
                          ("diagnosis", ""), ("marker", "7"), ("os_days", "36500"), ("response", "")):  # fmt: skip
        yield Case("constant", f"{column} {value}", replaced(wide(), "sheet", column, value), _factor("marker"))


def cases() -> Iterator[Case]:
    """Yield every hostile input."""
    yield from _texts()
    yield from _settings()
    yield from _cells()
    yield from _sizes()


def _dot(_: bytes) -> bytes:
    """Return a PNG of one pixel: figures hold their letters as outlines, so that pixels cannot fail on them."""
    return base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )


def _command(arguments: list[str]) -> str:
    """Return how a command ends: `0`, `2`, or where it crashed; problems and results go unseen."""
    from reinfuse.cli.main import app
    from reinfuse.exceptions import Refused

    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return str(app(arguments, standalone_mode=False) or 0)
    except Refused:
        return "2"
    except SystemExit as end:
        return str(end.code)
    except Hang:
        return "hang"
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"crash: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno} {str(error)[:60]!a}"


def flaws(out: Path) -> Iterator[str]:
    """Yield what is wrong with written results: files that do not parse."""
    try:
        json.loads((out / "findings.json").read_text(encoding="utf-8"))
        for path in out.glob("figures/*.svg"):
            ElementTree.parse(path)
        for document in out.glob("*.docx"):
            with zipfile.ZipFile(document) as archive:
                for name in archive.namelist():
                    if name.endswith((".xml", ".rels")):
                        ElementTree.fromstring(archive.read(name))
    except (OSError, ValueError, ElementTree.ParseError) as error:
        yield f"bad output: {type(error).__name__}"
    for path in out.glob("*.html"):
        if any(ord(c) < 32 and c not in "\n\t\r" for c in path.read_text(encoding="utf-8")):
            yield f"bad output: {path.name}"


def outcome(case: Case, seconds: int = 60) -> tuple[str, str, list[str]]:
    """Return how `check` and `analyze` end on a case, and what else is wrong."""
    folder = Path(tempfile.mkdtemp())
    wrong: list[str] = []
    try:
        arguments = case.write(folder)
        with warnings.catch_warnings(record=True) as caught, patch("reinfuse.report.export.pictures.png", _dot):
            warnings.simplefilter("always")
            signal.alarm(seconds)
            checked = _command(["check", *arguments])
            out = folder / "out"
            done = _command(["analyze", *arguments, "--out", str(out)])
            signal.alarm(0)
        wrong += sorted({f"warning: {w.category.__name__} {str(w.message)[:50]!a}" for w in caught})
        if done == "0":
            wrong += flaws(out)
        elif out.exists():
            wrong.append("something was written")
        if checked == "0" and done == "2":
            wrong.append("refused after a check that passed")
        return checked, done, wrong
    finally:
        signal.alarm(0)
        shutil.rmtree(folder, ignore_errors=True)


class Hang(BaseException):
    """A command took too long."""


def _alarm(*_: object) -> None:
    raise Hang


def main(arguments: list[str]) -> None:
    """Run every case, or every Nth, and print what ended badly and the counts."""
    chosen = dict(zip(arguments[::2], arguments[1::2], strict=True))
    signal.signal(signal.SIGALRM, _alarm)
    resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))
    every = [c for c in cases() if chosen.get("--kind", c.kind) == c.kind][int(chosen.get("--from", 0)) ::
                                                                        int(chosen.get("--every", 1))]  # fmt: skip
    counts: Counter[str] = Counter()
    for case in every:
        began = time.perf_counter()
        checked, done, wrong = outcome(case)
        ends = [e.split(":")[0] for e in (checked, done)]
        counts["inputs"] += 1
        counts[f"analyze ended in {ends[1]}"] += 1
        counts["crashes"] += ends[0] not in ("0", "2") or ends[1] not in ("0", "2")
        counts["crashes after a check that passed"] += ends[0] == "0" and ends[1] not in ("0", "2")
        counts.update(w.split(" ", 2)[0] + " " + w.split(" ", 2)[1] for w in wrong)
        if set(ends) - {"0", "2"} or wrong:
            print(f"{case.kind} | {case.name} | {checked} | {done} | {'; '.join(wrong)} | "
                  f"{time.perf_counter() - began:.1f} s", flush=True)  # fmt: skip
    print(json.dumps(counts, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
