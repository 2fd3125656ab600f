"""Small data sets of CDISC for tests, in every format that is read."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

Rows = Sequence[Sequence[object]]


def as_json(name: str, header: Sequence[str], rows: Rows) -> str:
    """Return a data set as one object of Dataset-JSON."""
    head = _head(name, header, rows)
    return json.dumps({**head, "rows": [list(r) for r in rows]})


def as_lines(name: str, header: Sequence[str], rows: Rows) -> str:
    """Return a data set as NDJSON."""
    return "\n".join([json.dumps(_head(name, header, rows)), *(json.dumps(list(r)) for r in rows)]) + "\n"


def _head(name: str, header: Sequence[str], rows: Rows) -> dict[str, object]:
    columns = [{"itemOID": f"IT.{name}.{h}", "name": h, "label": h.title(),
                "dataType": "integer" if rows and isinstance(rows[0][j], int) else "string"}
               for j, h in enumerate(header)]  # fmt: skip
    return {"datasetJSONVersion": "1.1.0", "itemGroupOID": f"IG.{name}", "records": len(rows), "name": name,
            "label": name, "columns": columns}  # fmt: skip


def write(folder: Path, name: str, header: Sequence[str], rows: Rows, ending: str = ".json") -> Path:
    """Write a data set in the format of an ending; ``.zlib.dsjc`` and ``.gzip.dsjc`` are both compressed."""
    path = folder / f"{name.lower()}{ending.removeprefix('.zlib').removeprefix('.gzip')}"
    if ending == ".json":
        path.write_text(as_json(name, header, rows))
    elif ending == ".ndjson":
        path.write_text(as_lines(name, header, rows))
    elif ending == ".zlib.dsjc":
        path.write_bytes(zlib.compress(as_lines(name, header, rows).encode()))
    elif ending == ".sas7bdat":  # nothing here writes it: `tests/golden/make_sas7bdat.R`
        path.write_bytes(gzip.decompress((Path(__file__).parent / "adtte.sas7bdat.gz").read_bytes()))
    elif ending == ".gzip.dsjc":
        path.write_bytes(gzip.compress(as_json(name, header, rows).encode()))
    else:
        frame = pl.DataFrame({h: [r[j] for r in rows] for j, h in enumerate(header)}, strict=False)
        if ending == ".csv":
            frame.write_csv(path)
        elif ending == ".parquet":
            frame.write_parquet(path)
        else:
            _xpt(frame, path, name)
    return path


def _xpt(frame: pl.DataFrame, path: Path, name: str) -> None:
    import pyreadstat

    pyreadstat.write_xport(frame, str(path), table_name=name, file_format_version=5)
