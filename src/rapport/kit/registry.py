"""Plug-ins found by folder and by entry point: adding one is adding a folder, and no other edit."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import pkgutil
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from rapport.kit.errors import Invalid, NotFound

KINDS = ("connectors", "channels", "insights", "panels")


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plug-in: its name (that of its folder or entry point) and the object it offers as `plugin`."""

    name: str
    kind: str
    module: str
    offers: Any


def _offered(name: str, kind: str, module: ModuleType) -> Plugin:
    if not hasattr(module, "plugin"):
        raise Invalid(
            f"{module.__name__} offers no `plugin`",
            f"A {kind} plug-in ends with `plugin = ...` in its plugin.py.",
        )
    return Plugin(name=name, kind=kind, module=module.__name__, offers=module.plugin)


@functools.cache
def plugins(kind: str) -> dict[str, Plugin]:
    """Every plug-in of a kind by name: the folders in `rapport.plugins.<kind>`, then entry points."""
    if kind not in KINDS:
        raise NotFound(f"{kind!r} is no kind of plug-in", f"There are {', '.join(KINDS)}.")
    found: dict[str, Plugin] = {}
    try:
        package = importlib.import_module(f"rapport.plugins.{kind}")
    except ModuleNotFoundError:
        package = None
    if package is not None:
        for folder in pkgutil.iter_modules(package.__path__):
            if not folder.ispkg:  # a test of several
                continue
            module = importlib.import_module(f"{package.__name__}.{folder.name}.plugin")
            found[folder.name] = _offered(folder.name, kind, module)
    for entry in importlib.metadata.entry_points(group=f"rapport.{kind}"):
        if entry.name in found:
            raise Invalid(
                f"two plug-ins of kind {kind} are called {entry.name!r}", "Rename or remove one of them."
            )
        found[entry.name] = _offered(entry.name, kind, entry.load())
    return dict(sorted(found.items()))


def plugin(kind: str, name: str) -> Plugin:
    """The plug-in of that kind and name, or NotFound with the names there are."""
    known = plugins(kind)
    if name not in known:
        raise NotFound(f"there is no {kind} plug-in called {name!r}", f"There are: {', '.join(known)}.")
    return known[name]
