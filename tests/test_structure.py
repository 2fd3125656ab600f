"""The house stands on its own declaration: imports run down the layers of pyproject.toml, and never in a circle; what
calls the service layer reaches no room past it.

Read from the code itself: imports at the top, inside functions, for types alone, and modules named by a text.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "reinfuse"


def modules_of(source):
    """Return the module's name of each file under a source folder."""
    paths = {path: path.relative_to(source).with_suffix("").parts for path in sorted(source.rglob("*.py"))}
    return {".".join(parts).removesuffix(".__init__"): path for path, parts in paths.items()}


def imports_of(module, path, modules):
    """Yield the line and name of each module of the package that a file imports, or names in a text."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in modules else base for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value] if is_a_file(node.value, modules) else []
        else:
            continue
        yield from ((node.lineno, name) for name in names if name in modules and name != module)


def is_a_file(text, modules):
    """Tell a module's full name from that of a folder, which is named to read its data."""
    return text in modules and modules[text].name != "__init__.py"


def graph_of(source):
    """Return, for each module, the modules that it imports, each with the line."""
    modules = modules_of(source)
    return {name: {to: line for line, to in imports_of(name, path, modules)} for name, path in modules.items()}


def graph_of_files(source, files):
    """Return the graph of a package made of these modules, by path, in a source folder."""
    for name, text in files.items():
        path = source / PACKAGE / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for folder in path.relative_to(source).parents[:-1]:
            (source / folder / "__init__.py").touch()
    return graph_of(source)


def circles(graph):
    """Return each import after which one can come back: (from, to), both in one circle."""
    reach = {}
    for start in graph:
        before, todo = set(), list(graph[start])
        while todo:
            if (name := todo.pop()) not in before:
                before.add(name)
                todo += graph[name]
        reach[start] = before
    return [(one, to) for one in graph for to in graph[one] if one in reach[to]]


def room_of(module):
    """Return the file or folder of the package in which a module stands; the package's face is a room of its own."""
    return module.split(".")[1] if "." in module else module


def upward(graph, layers):
    """Return each import that runs up: (from, to)."""
    height = {room: k for k, rooms in enumerate(layers) for room in rooms}
    return [(one, to) for one in graph for to in graph[one] if height[room_of(to)] > height[room_of(one)]]


def past_the_service_layer(graph, callers):
    """Return each import by a caller of the service layer of a room that it may not import: (from, to)."""
    return [(one, to) for one in graph for to in graph[one] if (room := room_of(one)) in callers
            and room_of(to) not in {room, *callers[room]}]  # fmt: skip


def shown(graph, edges):
    """Name both files of each import, and its line."""
    return [f"{one} (line {graph[one][to]}) imports {to}" for one, to in edges]


@pytest.fixture(scope="module")
def graph():
    return graph_of(ROOT / "src")


@pytest.fixture(scope="module")
def declared():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][PACKAGE]


@pytest.fixture(scope="module")
def layers(declared):
    return declared["layers"]


def test_each_room_stands_in_one_layer(graph, layers):
    declared = [room for rooms in layers for room in rooms]
    assert sorted(declared) == sorted({room_of(module) for module in graph})


def test_no_import_runs_up_the_layers(graph, layers):
    assert shown(graph, upward(graph, layers)) == []


def test_no_imports_run_in_a_circle(graph):
    assert shown(graph, circles(graph)) == []


def test_each_room_above_the_service_layer_is_a_declared_caller(declared):
    rooms = [room for layer in declared["layers"] for room in layer]
    above = rooms[rooms.index("study") + 1 :]
    assert sorted(declared["callers"]) == sorted({*above} - {PACKAGE})
    assert {room for allowed in declared["callers"].values() for room in allowed} <= {*rooms}


def test_no_caller_reaches_past_the_service_layer(graph, declared):
    assert shown(graph, past_the_service_layer(graph, declared["callers"])) == []


@pytest.mark.parametrize("wrong", [
    "from reinfuse.high import up",
    "import reinfuse.high.up",
    "from ..high import up",
    "def late():\n    from reinfuse.high.up import one",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from reinfuse.high.up import One",
    "NEEDED = ('reinfuse.high.up',)",
])  # fmt: skip
def test_an_import_that_runs_up_is_caught_with_both_names(tmp_path, wrong):
    small = graph_of_files(tmp_path, {"low/down": wrong, "high/up": "from reinfuse.low import down"})
    line = len(wrong.splitlines())
    run_up = f"reinfuse.low.down (line {line}) imports reinfuse.high.up"
    assert shown(small, upward(small, [["low"], ["high"], [PACKAGE]])) == [run_up]
    assert run_up in shown(small, circles(small))
    assert len(circles(small)) == 2


@pytest.mark.parametrize("wrong", [
    "from reinfuse.report.export import folder",
    "def late():\n    from ..report.export.folder import write",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import reinfuse.report.export.folder",
    "NEEDED = ('reinfuse.report.export.folder',)",
])  # fmt: skip
def test_a_caller_that_reaches_past_the_service_layer_is_caught_with_both_names(tmp_path, wrong):
    small = graph_of_files(tmp_path, {"cli/main": f"from reinfuse.study import task\n{wrong}",
                                      "cli/more": "from reinfuse.cli import main", "report/export/folder": "",
                                      "study/task": "from reinfuse.report.export import folder"})  # fmt: skip
    line = 1 + len(wrong.splitlines())
    reached = f"reinfuse.cli.main (line {line}) imports reinfuse.report.export.folder"
    assert shown(small, past_the_service_layer(small, {"cli": ["study"]})) == [reached]
    assert shown(small, past_the_service_layer(small, {"cli": ["study", "report"]})) == []
