"""Sources that are accounts of ours at our own address: what people write to reach them, and what stands in the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.listening.contract import Finding, Named
from rapport.listening.models import Kept
from rapport.listening.services import sources


@dataclass(frozen=True, slots=True)
class AccountView:
    """How others reach an account, and what would keep them from it."""

    handle: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class KeptRow:
    """Something that the connector of a source keeps of somebody."""

    source: str
    key: str
    value: Any
    at: dt.datetime
    until: dt.datetime | None  # None: until they take it back


def kept_of(identifiers: Sequence[str]) -> list[KeptRow]:
    """What connectors keep of somebody: that they follow us, which of their posts we know, what is on its way."""
    rows = Kept.objects.filter(identifier__in=list(identifiers)).order_by("source", "key")
    return [KeptRow(*row) for row in rows.values_list("source", "key", "value", "changed_at", "until")]


def account_of(name: str) -> AccountView | None:
    """The account that a source is; None where it is none, or its plug-in was taken away."""
    row = sources.row(name)
    if sources.terms_of_row(row) is None:
        return None
    return _view(row.connector, sources.plain_of(row), sources.address(name))


def account_to_be(connector: str, name: str, values: Mapping[str, Any]) -> AccountView | None:
    """The account that a source of that connector would be; None where it would be none."""
    config = sources.connector(connector).config(**values)
    return _view(connector, config, sources.address(name or connector))


def _view(connector: str, config: Any, address: str) -> AccountView | None:
    offered = sources.connector(connector)
    if not isinstance(offered, Named):
        return None
    return AccountView(offered.handle(config, address), tuple(offered.standing(config, address)))
