"""What a channel plug-in offers: it opens a session and sends messages, many at the same time.

Two verbs and one error, as in healthchecks: `open(config, context) -> Session`, `session.send(message) ->
Receipt`, and `TransportError`, which says whether trying again can help. The core decides what is sent, to
whom and whether; it writes a row before anything leaves and notes what came of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

KIND = "channels"  # of the registry
# Codes of RFC 3463 by which a server says that there is nobody of an address, and not that we are unwelcome.
NO_SUCH_ADDRESS = ("5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")


class TransportError(Exception):
    """A message could not be sent, in the words of whoever refused it.

    permanent : trying this again, as it is, cannot help
    of_channel : the way itself is broken (no connection, log-in refused), so no message can leave now
    of_address : the receiver's system says that there is nobody of that address
    is_unsure : the message may have been taken; the connection ended before the answer came
    code : the answer's number, where the channel has numbers
    transcript : what was said, line by line, without secrets
    """

    def __init__(
        self,
        answer: str,
        *,
        permanent: bool,
        of_channel: bool = False,
        of_address: bool = False,
        is_unsure: bool = False,
        code: int | None = None,
        transcript: Sequence[str] = (),
    ) -> None:
        super().__init__(answer)
        self.answer = answer
        self.permanent = permanent
        self.of_channel = of_channel
        self.of_address = of_address
        self.is_unsure = is_unsure
        self.code = code
        self.transcript = tuple(transcript)


@dataclass(frozen=True, slots=True)
class Message:
    """One message, rendered: what a channel needs to send it, and nothing of who it is for beside the address.

    id : ours; the same message sent a second time has the same id, so that receivers can join the two
    to : the address on this channel
    headers : further header lines by name, for channels that have such
    """

    id: str
    to: str
    subject_line: str
    text: str
    html: str = ""
    language: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a message was taken, in the words of who took it.

    post_id, url : of what can be seen there: the network's own number, and where it is
    """

    answer: str
    code: int | None = None
    transcript: tuple[str, ...] = ()
    post_id: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel bears: messages in flight at once, and a minute (0: as many as go)."""

    in_flight: int
    per_minute: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """Something to publish so that receivers trust the channel, for example in the domain's DNS."""

    name: str
    kind: str  # TXT ...
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: state is ok, warn or bad."""

    what: str
    state: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a channel may know beside its configuration: the time, and the domain name system's texts."""

    now: Callable[[], dt.datetime]
    texts_of: Callable[[str], Sequence[str]]  # the TXT records of a name; OSError where nobody answers


class Session(Protocol):
    """An open way out. `send` may be called many times before the first call has ended."""

    async def send(self, message: Message) -> Receipt:
        """Hand one message over; raises TransportError."""
        ...

    async def close(self) -> None:
        """End every connection."""
        ...


@runtime_checkable
class Channel(Protocol):
    """One way to reach a person. The folder is its name; `plugin.py` ends with `plugin = ...`.

    name, title : the folder's name, and what a screen calls it
    namespace : of the identifiers that are addresses here, such as email
    config : a frozen dataclass; each field has in its metadata `label`, `help` and perhaps `secret` or `choices`
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def config(self) -> type[Any]: ...

    def check(self, config: Any) -> None:
        """Raise Invalid where the configuration cannot work; asks nobody outside."""
        ...

    def limits(self, config: Any) -> Limits:
        """What this configuration bears."""
        ...

    def keys(self, config: Any) -> Mapping[str, Any]:
        """Values the channel makes for itself, such as a new key pair; empty where it needs none."""
        ...

    def records(self, config: Any) -> Sequence[Record]:
        """What the firm has to publish; empty where nothing."""
        ...

    def findings(self, config: Any, context: Context) -> Sequence[Finding]:
        """Whether what has to be published is, and says the same."""
        ...

    async def open(self, config: Any, context: Context) -> Session:
        """A session; connections may be made later, when there is something to send."""
        ...
