"""The chat as a way out: what is sent is put where the visitor's window fetches it, exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections

from rapport.kit.errors import Conflict
from rapport.messaging.contract import Context, Finding, Limits, Message, Receipt, Record, TransportError
from rapport.onsite.chat import rules, services


@dataclass(frozen=True, slots=True)
class Config:
    """Nothing needs to be said of it: what there is to set is set for each site."""


class ChatSession:
    """Writes into the tables of this installation; there is nothing to connect to."""

    async def send(self, message: Message) -> Receipt:
        await sync_to_async(_put, thread_sensitive=False)(message)
        return Receipt("put into the visitor's window")

    async def close(self) -> None:
        """There is nothing to end."""


def _put(message: Message) -> None:
    close_old_connections()
    try:
        services.answer(message.to, message.text, message.id)
    except Conflict as error:
        raise TransportError(error.message, permanent=True, of_address=True) from None
    except DatabaseError as error:  # the row may have been written: the same key writes it once
        raise TransportError(str(error), permanent=False, is_unsure=True) from None
    finally:
        close_old_connections()


class ChatChannel:
    """One way to reach whoever chats on a page of the firm's."""

    name = rules.CHANNEL
    title = "Chat"
    namespace = rules.NAMESPACE
    config: type[Config] = Config

    def check(self, config: Any) -> None:
        """Nothing can be wrong."""

    def limits(self, config: Any) -> Limits:  # noqa: ARG002  the contract's shape
        return Limits(in_flight=4)

    def keys(self, config: Any) -> Mapping[str, Any]:  # noqa: ARG002
        return {}

    def records(self, config: Any) -> Sequence[Record]:  # noqa: ARG002
        return ()

    def findings(self, config: Any, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        return ()

    async def open(self, config: Any, context: Context) -> ChatSession:  # noqa: ARG002
        return ChatSession()


plugin = ChatChannel()
