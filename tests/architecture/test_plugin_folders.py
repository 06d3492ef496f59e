"""A plug-in is a folder with everything that belongs to it, found without another edit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rapport.kit import registry

PLUGINS = Path(__file__).parents[2] / "src" / "rapport" / "plugins"


def folders() -> list[Path]:
    return sorted(f.parent for f in PLUGINS.glob("*/*/__init__.py"))


def test_there_are_plugins_to_look_at() -> None:
    assert folders()


@pytest.mark.parametrize("folder", folders(), ids=lambda f: f"{f.parent.name}/{f.name}")
def test_a_plugin_folder_is_whole(folder: Path) -> None:
    names = {f.name for f in folder.iterdir()}
    assert {"plugin.py", "sample.json", "README.md"} <= names
    assert list(folder.glob("test_*.py")), "a plug-in has tests of its own"
    assert json.loads((folder / "sample.json").read_text())
    assert (folder / "README.md").read_text().startswith("# ")


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_folder_is_found_by_the_registry(kind: str) -> None:
    there = {f.name for f in folders() if f.parent.name == kind}
    assert there <= registry.plugins(kind).keys()
