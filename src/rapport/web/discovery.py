"""Finds the pages by folder: adding a page is adding a folder with a page.py, and no other edit."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType

from rapport.web import pages


@functools.cache
def page_modules() -> tuple[ModuleType, ...]:
    """The `page` module of every folder in `web/pages`, by the folder's name."""
    folders = sorted(found.name for found in pkgutil.iter_modules(pages.__path__) if found.ispkg)
    return tuple(importlib.import_module(f"{pages.__name__}.{folder}.page") for folder in folders)
