"""A real SMTP server on loopback, and the account that sends by it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import rules, subscriptions
from rapport.events import services as events
from rapport.messaging.services import accounts
from rapport.messaging.tests.loopback import Loopback

MONDAY = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


@dataclasses.dataclass
class Mailbox:
    """What arrived, and how the server is to answer."""

    arrived: list[tuple[str, bytes]] = dataclasses.field(default_factory=list)
    refuse: dict[str, str] = dataclasses.field(default_factory=dict)  # address -> answer to RCPT
    refuse_message: dict[str, str] = dataclasses.field(default_factory=dict)  # address -> answer to DATA
    on_arrival: Callable[[int], None] | None = None
    port: int = 0

    @property
    def addresses(self) -> list[str]:
        return [to for to, _ in self.arrived]

    async def handle_RCPT(  # noqa: N802  aiosmtpd calls it so
        self,
        _server: Any,
        _session: Any,
        envelope: Any,
        address: str,
        _options: Any,
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        address = envelope.rcpt_tos[0]
        if address in self.refuse_message:
            return self.refuse_message[address]
        self.arrived.append((address, envelope.original_content))
        if self.on_arrival:
            self.on_arrival(len(self.arrived))
        return "250 2.0.0 taken"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    handler = Mailbox()
    server = Loopback(handler, enable_SMTPUTF8=True, data_size_limit=200_000)
    server.start()
    handler.port = server.port
    yield handler
    server.stop()


@pytest.fixture
def account(home: Path, db: None, mailbox: Mailbox) -> Any:  # noqa: ARG001  the stores it is kept in
    """Mail, set up by way of the mailbox's server."""
    return set_up(mailbox.port)


def set_up(port: int, **values: Any) -> Any:
    return accounts.set_up(
        "email",
        {
            "host": "127.0.0.1",
            "port": port,
            "security": "none",
            "from_address": "shop@otter.example",
            "from_name": "Otter Tools",
            "timeout_s": 5,
            **values,
        },
        postal_address="Otter Tools\nHauptstraße 1\n10115 Berlin",
    )


@pytest.fixture
def say(home: Path, db: None) -> Callable[..., None]:  # noqa: ARG001  what it speaks into
    """Record touchpoints, load them and let every subscriber react."""

    def record(*rows: dict[str, Any]) -> None:
        table = pa.Table.from_pylist(list(rows), schema=rules.TOUCHPOINT)
        span = events.record(table, source="crm")
        events.settle(span.first + span.n - 1)
        subscriptions.drain()

    return record
