"""Plug-ins: found by folder and entry point, and refused in words where one is malformed."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rapport.kit import registry
from rapport.kit.errors import Invalid, NotFound


@pytest.fixture
def channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that stands for `rapport/plugins/channels`."""
    folder = tmp_path / "channels"
    folder.mkdir()
    package = ModuleType("rapport.plugins.channels")
    package.__path__ = [str(folder)]
    monkeypatch.setitem(sys.modules, "rapport.plugins.channels", package)
    # By its name: kit does not import plug-ins, not even in a test.
    monkeypatch.setattr(importlib.import_module("rapport.plugins"), "channels", package, raising=False)
    registry.plugins.cache_clear()
    yield folder
    registry.plugins.cache_clear()
    for name in [n for n in sys.modules if n.startswith("rapport.plugins.channels.")]:
        del sys.modules[name]


def add_folder(channels: Path, name: str, text: str) -> None:
    folder = channels / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "plugin.py").write_text(text)


def add_entry_point(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    entry = importlib.metadata.EntryPoint(name=name, value=value, group="rapport.channels")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [entry])


def test_adding_a_folder_is_all_it_takes(channels: Path) -> None:
    add_folder(channels, "smoke", "plugin = 'rises'\n")
    add_folder(channels, "bell", "plugin = 'rings'\n")
    found = registry.plugins("channels")
    assert list(found) == ["bell", "smoke"]
    assert found["smoke"].offers == "rises"
    assert found["smoke"].module == "rapport.plugins.channels.smoke.plugin"
    assert registry.plugin("channels", "bell").offers == "rings"


def test_an_installed_package_offers_one_by_entry_point(
    channels: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pigeon_post.py").write_text("plugin = 'flies'\n")
    monkeypatch.syspath_prepend(tmp_path)
    add_entry_point(monkeypatch, "pigeon", "pigeon_post")
    assert registry.plugin("channels", "pigeon").offers == "flies"


def test_a_module_without_plugin_is_named(channels: Path) -> None:
    add_folder(channels, "mute", "silence = True\n")
    with pytest.raises(Invalid, match=r"channels\.mute\.plugin offers no `plugin`"):
        registry.plugins("channels")


def test_two_of_one_name_are_refused(channels: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    add_folder(channels, "smoke", "plugin = 'rises'\n")
    (tmp_path / "other_smoke.py").write_text("plugin = 'drifts'\n")
    monkeypatch.syspath_prepend(tmp_path)
    add_entry_point(monkeypatch, "smoke", "other_smoke")
    with pytest.raises(Invalid, match="two plug-ins of kind channels are called 'smoke'"):
        registry.plugins("channels")


def test_an_unknown_name_lists_those_there_are(channels: Path) -> None:
    add_folder(channels, "bell", "plugin = 'rings'\n")
    with pytest.raises(NotFound) as refused:
        registry.plugin("channels", "drum")
    assert "'drum'" in refused.value.message
    assert "bell" in refused.value.hint


def test_an_unknown_kind_lists_those_there_are() -> None:
    with pytest.raises(NotFound, match="is no kind of plug-in") as refused:
        registry.plugins("gadgets")
    assert "connectors" in refused.value.hint
