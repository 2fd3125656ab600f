"""`reinfuse template` writes a plan and a map besides: both load, and the map is refused until it is filled."""

from __future__ import annotations

import re

import pytest

from reinfuse.exceptions import SourceRefused
from reinfuse.plan.analysis_plan import Plan
from reinfuse.sources.map_file import load_map
from reinfuse.sources.questions import questions
from reinfuse.study.input_tables import write_template
from reinfuse.study.sources import import_source

SHEET = "Pat,Dx,M/F,Age,Seen,Died,D1,LD1,Dose1,D2,LD2,Dose2,Resp on,Resp,MRD on,MRD,CRS2,ICANS2\n" + (
    "A1,NHL,M,61,2024-01-15,,2019-03-04,Cy,2000000,2019-11-12,Flu/Cy,3000000,2019-12-10,CR,2019-12-10,negative,1,0\n"
)
FILLED = {
    "patients": {"patient_id": "Pat", "diagnosis": "Dx", "sex": "M/F", "age_years": "Age", "last_contact": "Seen",
                 "death": "Died"},
    "infusions[1]": {"patient_id": "Pat", "date": "D1", "lymphodepletion": "LD1", "dose_cells_per_kg": "Dose1"},
    "infusions[2]": {"patient_id": "Pat", "date": "D2", "lymphodepletion": "LD2", "dose_cells_per_kg": "Dose2"},
    "responses": {"patient_id": "Pat", "date": "Resp on", "response": "Resp"},
    "mrd": {"patient_id": "Pat", "date": "MRD on", "result": "MRD"},
    "toxicities[1]": {"patient_id": "Pat", "grade": "CRS2"},
    "toxicities[2]": {"patient_id": "Pat", "grade": "ICANS2"},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the template and a sheet."""
    written, _ = write_template(tmp_path / "new")
    assert {"plan.toml", "map.toml", "patients.csv", "cohort.xlsx"} <= {path.name for path in written}
    (tmp_path / "sheet.csv").write_text(SHEET, encoding="utf-8")
    return tmp_path


def test_the_plan_loads(folder):
    plan = Plan.load(folder / "new" / "plan.toml")
    assert (plan.title, plan.index_infusion, plan.confidence) == ("Second CAR-T infusions at our centre", 2, 0.95)
    built_in = Plan.built_in()
    assert (plan.factors, plan.models) == (built_in.factors, built_in.models)


def test_the_map_loads_and_is_refused_until_it_is_filled(folder):
    template = load_map(folder / "new" / "map.toml")
    open_lines = {q.line for q in questions(template)}
    assert open_lines == {"source.date_order", "source.ids"} | {f"{p}.{c}" for p, cs in FILLED.items() for c in cs}
    with pytest.raises(SourceRefused) as caught:
        import_source(folder / "sheet.csv", folder / "new" / "map.toml")
    assert {p.column for p in caught.value.problems} >= open_lines


def test_the_map_is_followed_once_it_is_filled(folder):
    text = (folder / "new" / "map.toml").read_text(encoding="utf-8")
    text = text.replace('kind = "excel"', 'kind = "csv"').replace('date_order = "?"', 'date_order = "ymd"')
    text = text.replace('ids = "?"', 'ids = "keep"').replace('unit = "?"', 'unit = "cells/kg"')
    for columns in FILLED.values():
        for column, header in columns.items():
            place = re.compile(rf'^({column} = (?:{{ column = )?)"\?"', flags=re.MULTILINE)
            text = place.sub(rf'\g<1>"{header}"', text, count=1)
    (folder / "filled.toml").write_text(text, encoding="utf-8")
    tables = import_source(folder / "sheet.csv", folder / "filled.toml").imported.tables
    assert {name: len(table.rows) for name, table in tables.items()} == {
        "patients": 1, "infusions": 2, "responses": 1, "mrd": 1, "toxicities": 2,
    }  # fmt: skip
    row = dict(zip(tables["infusions"].columns, tables["infusions"].rows[1], strict=True))
    assert (row["date"].text, row["dose_cells_per_kg"].text) == ("2019-11-12", "3000000")
