"""A real SMTP server on a port of loopback that the system chose."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Loopback(Controller):
    """aiosmtpd in a thread; `port` is known once it has started."""

    def __init__(self, handler: Any, **options: Any) -> None:
        self.options = options
        super().__init__(handler, hostname="127.0.0.1", port=0)

    def factory(self) -> SMTP:
        return SMTP(self.handler, hostname="mail.example.org", **self.options)

    def _trigger_server(self) -> None:
        # The controller connects once to see that it listens; with port 0 it has to learn the port first.
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]

    def stop(self, no_assert: bool = False) -> None:
        # Connections that a client has left open would outlive the loop.
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result(10)
        super().stop(no_assert)

    async def _hang_up(self) -> None:
        # The loop's own book of them: a failed handshake leaves one that no speaker knows.
        for transport in list(self.loop._transports.values()):  # type: ignore[attr-defined]
            transport.abort()
        await asyncio.sleep(0.02)


def words_of(raw: bytes, kind: str = "plain") -> str:
    """The text, or the HTML, of a mail as it arrived."""
    body = message_of(raw).get_body((kind,))
    assert body is not None
    text: str = body.get_content()
    return text


def message_of(raw: bytes) -> EmailMessage:
    """A mail as it arrived, read by the standard library."""
    return message_from_bytes(raw, policy=policy.default)
