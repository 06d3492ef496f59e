"""Imports flow down: the contracts in pyproject.toml hold, name every package, and there is no cycle."""

from __future__ import annotations

import tomllib
from pathlib import Path

import grimp
import pytest
from importlinter import cli

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "rapport"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("rapport", exclude_type_checking_imports=True, cache_dir=None)


def test_the_contracts_hold(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


def strongly_connected(graph: grimp.ImportGraph) -> list[set[str]]:
    """Groups of modules that import each other in a ring (Tarjan 1972, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    rings: list[set[str]] = []
    for root in sorted(graph.modules):
        if root in index:
            continue
        work = [(root, iter(sorted(graph.find_modules_directly_imported_by(root))))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            module, imported = work[-1]
            for other in imported:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    work.append((other, iter(sorted(graph.find_modules_directly_imported_by(other)))))
                    break
                if other in stack:
                    low[module] = min(low[module], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[module])
                if low[module] == index[module]:
                    at = stack.index(module)
                    ring, stack[at:] = set(stack[at:]), []
                    if len(ring) > 1:
                        rings.append(ring)
    return rings


def test_no_modules_import_each_other_in_a_ring(graph: grimp.ImportGraph) -> None:
    assert strongly_connected(graph) == []


def test_a_ring_would_be_found() -> None:
    ring = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e")):
        ring.add_import(importer=importer, imported=imported)
    assert strongly_connected(ring) == [{"a", "b", "c"}]


def test_every_package_is_placed_in_a_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c["type"] == "layers")
    placed = {name.strip() for line in layers for name in line.replace(":", "|").split("|")}
    packages = {f.parent.name for f in SOURCE.glob("*/__init__.py")}
    assert packages - {"plugins"} == placed


def test_every_domain_with_models_keeps_them_to_itself() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    kept = {m for c in contracts for m in c.get("forbidden_modules", ()) if m.endswith(".models")}
    with_models = {
        f"rapport.{f.relative_to(SOURCE).parts[0]}.models"
        for pattern in ("*/models.py", "*/models/__init__.py")
        for f in SOURCE.glob(pattern)
    }
    # Django itself must import the staff account, and every face asks who is logged in.
    assert with_models - {"rapport.staff.models"} <= kept


def test_nobody_imports_a_page(graph: grimp.ImportGraph) -> None:
    pages = {m for m in graph.modules if m.startswith("rapport.web.pages.")}
    wrong = {
        (importer, page)
        for page in pages
        for importer in graph.find_modules_that_directly_import(page)
        if importer.startswith("rapport.")
        and importer.split(".")[:4] != page.split(".")[:4]
        and ".tests" not in importer
        and ".test_" not in importer
    }
    assert wrong == set()
