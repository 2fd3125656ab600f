"""ViewDefinitions of SQL on FHIR as SQL of DuckDB: the part of FHIRPath that the package's views use, and no more.

https://sql-on-fhir.org/ig/latest (ViewDefinition, shareable subset); https://hl7.org/fhirpath (N1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

_STEP = re.compile(r"\.?(?:(?P<function>\w+)\((?P<argument>[^()]*)\)|(?P<member>\w+))")
_TEST = re.compile(r"(?P<path>.+?) = '(?P<text>[^']*)'")
_LIST = "CAST(json_extract({0}, '$') AS JSON[])"


class NotSupported(ValueError):
    """A view uses a part of FHIRPath that is not read."""


@cache
def views() -> Mapping[str, Mapping[str, Any]]:
    """Return the views of the package by name."""
    folder = files("reinfuse.sources.fhir").joinpath("views")
    return {
        one["name"]: one
        for entry in sorted(folder.iterdir(), key=lambda e: e.name)
        if entry.name.endswith(".json")
        for one in (json.loads(entry.read_text(encoding="utf-8")),)
    }


def path_sql(path: str, base: str) -> str:
    """Return the SQL of a path on a column with a resource, as JSON.

    Raises
    ------
    NotSupported
        If it uses something that is not read.
    """
    sql, place, member = base, 0, ""
    for step in _STEP.finditer(path):
        if step.start() != place:
            break
        place = step.end()
        if step["member"]:
            member = step["member"]
            outer = sql
            sql = f"json_extract({outer}, '$.{member}')"
        elif step["function"] == "ofType" and member:
            kind = step["argument"]
            sql = f"json_extract({outer}, '$.{member}{kind[:1].upper()}{kind[1:]}')"
        else:
            sql = _function(step["function"], step["argument"].strip("'"), sql)
    if place != len(path):
        raise NotSupported(path)
    return sql


def _function(name: str, argument: str, sql: str) -> str:
    if name == "first":
        return f"json_extract({sql}, '$[0]')"
    if name == "extension":
        return _filtered(f"json_extract({sql}, '$.extension')", "url", argument) + "[1]"
    if name == "where" and (test := re.fullmatch(r"(\w+)\s*=\s*'([^']*)", argument)):
        return f"to_json({_filtered(sql, test[1], test[2])})"
    if name == "empty":
        return f"to_json(coalesce(json_array_length({sql}), 0) = 0)"
    if name == "getResourceKey":
        return f"json_extract({sql}, '$.id')"
    if name == "getReferenceKey":
        return f"to_json(regexp_extract(json_extract_string({sql}, '$.reference'), '([^/:]+)$', 1))"
    raise NotSupported(name)


def _filtered(sql: str, member: str, text: str) -> str:
    return f"list_filter({_LIST.format(sql)}, lambda x: json_extract_string(x, '$.{member}') = '{text}')"


def view_sql(view: Mapping[str, Any], resources: str) -> str:
    """Return the query of a view.

    Parameters
    ----------
    resources
        Name of a table with the columns `kind` (type of the resource) and `resource` (JSON).
    """
    columns, unnested = [], []
    for number, select in enumerate(view["select"]):
        base = "resource"
        if path := select.get("forEachOrNull"):
            base = f"each_{number}"
            unnested.append(
                f"unnest(coalesce(nullif({_LIST.format(path_sql(path, 'resource'))}, []), [NULL])) AS {base}"
            )
        columns += [f"json_extract_string({path_sql(c['path'], base)}, '$') AS {c['name']}" for c in select["column"]]
    tests = " AND ".join(f"({_condition(one['path'])})" for one in view.get("where", ())) or "true"
    inner = ", ".join(["resource", *unnested])
    return (f"SELECT {', '.join(columns)} FROM (SELECT {inner} FROM {resources} "
            f"WHERE kind = '{view['resource']}' AND {tests})")  # fmt: skip


def _condition(test: str) -> str:
    return " OR ".join(_one_test(part) for part in test.split(" or "))


def _one_test(test: str) -> str:
    if equal := _TEST.fullmatch(test):
        return f"json_extract_string({path_sql(equal['path'], 'resource')}, '$') = '{equal['text']}'"
    if test.endswith(".empty()"):
        return f"json_extract_string({path_sql(test, 'resource')}, '$') = 'true'"
    raise NotSupported(test)


def column_names(view: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the columns of a view."""
    yield from (column["name"] for select in view["select"] for column in select["column"])
