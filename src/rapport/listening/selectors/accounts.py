"""Sources that are accounts of ours at our own address: what people write to reach them, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapport.listening.contract import Finding, Named
from rapport.listening.services import sources


@dataclass(frozen=True, slots=True)
class AccountView:
    """How others reach an account, and what would keep them from it."""

    handle: str
    findings: tuple[Finding, ...]


def account_of(name: str) -> AccountView | None:
    """The account that a source is; None where it is none, or its plug-in was taken away."""
    row = sources.row(name)
    if sources.terms_of_row(row) is None:
        return None
    return _view(row.connector, sources.config_of(row), sources.address(name))


def account_to_be(connector: str, name: str, values: Mapping[str, Any]) -> AccountView | None:
    """The account that a source of that connector would be; None where it would be none."""
    config = sources.connector(connector).config(**values)
    return _view(connector, config, sources.address(name or connector))


def _view(connector: str, config: Any, address: str) -> AccountView | None:
    offered = sources.connector(connector)
    if not isinstance(offered, Named):
        return None
    return AccountView(offered.handle(config, address), tuple(offered.standing(config, address)))
