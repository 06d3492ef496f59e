"""What a connector offers: it reads what people say on one network, and may post what we answer there.

A connector knows one network and nothing of the firm's customers. It is asked for pages that follow a
cursor; the core records what a page holds and keeps the cursor with it, so that a reader who is killed
anywhere begins again after the last page that is durable, and what comes twice is known by its id. What a
connector could not see is a `Gap`, and never silence: a gap is drawn as one, and not as a zero.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from rapport.kit import picking, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request
from rapport.kit.pour import Bytes
from rapport.listening.rules.pictures import Pictures as Pictures  # noqa: PLC0414  plug-ins see the contract alone

KIND = "connectors"  # of the registry

Kind = Literal["post", "message", "edit", "deletion", "reaction", "block"]
# Why something could not be seen: too many requests, no permission, the network's own limit of how far back
# it shows, a log-in that ended, a network that did not answer, a reader of ours that did not run.
Reason = Literal["rate", "permission", "horizon", "login", "unreachable", "stopped"]

# Where no network's terms apply, the law does.
GDPR, GDPR_READ_ON = "https://eur-lex.europa.eu/eli/reg/2016/679/oj", dt.date(2026, 11, 22)
OWN_NOTE = (
    "In the firm's own place its own terms hold: see that its privacy notice says what is done with posts."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a network's terms let us do with what is said there. The core enforces every line of it.

    keep_days : how long words and handles may be kept; None: no longer limit than the firm's own
    may_match : a handle may be joined to a customer (by the customer's own act or consent, which the core asks for)
    may_derive : sentiment, standing and the like may be derived of one author; otherwise of many together only
    may_train : models may learn from these words
    may_answer : whoever addressed us may be answered there through the interface, and the firm may post of its own
    may_answer_unasked : others may be answered as well
    deletes_within_h : hours within which what is deleted there must be gone here
    is_public : what is said there was said to everybody
    source, read_on : where these terms stand, and the day on which they were read; None: nobody has read them yet
    as_of : the date that the terms bear themselves, where it was a stored copy that was read: there may be newer ones
    """

    keep_days: int | None
    may_match: bool
    may_derive: bool
    may_train: bool
    may_answer: bool
    may_answer_unasked: bool
    deletes_within_h: int
    is_public: bool
    source: str
    read_on: dt.date | None
    note: str = ""
    as_of: dt.date | None = None

    @classmethod
    def least(cls, keep_days: int, note: str, *, source: str, read_on: dt.date | None) -> Terms:
        """What may be done with words whose place has terms that we do not know: read and counted for a while."""
        return cls(
            keep_days=keep_days,
            may_match=False,
            may_derive=False,
            may_train=False,
            may_answer=False,
            may_answer_unasked=False,
            deletes_within_h=24,
            is_public=True,
            source=source,
            read_on=read_on,
            note=note,
        )

    @classmethod
    def of_own_place(cls, note: str = OWN_NOTE) -> Terms:
        """What may be done with words in a public place of the firm's own, which is only read."""
        return cls(
            keep_days=None,
            may_match=True,
            may_derive=True,
            may_train=True,
            may_answer=False,
            may_answer_unasked=False,
            deletes_within_h=24,
            is_public=True,
            source=GDPR,
            read_on=GDPR_READ_ON,
            note=note,
        )


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a network told us: who said what, when, where, in answer to what.

    id : the network's own, unique there; an edit, deletion or reaction names what it is about in `about`
    author : handle or address without its namespace; empty where the network does not say
    thread : the id that the conversation began with, where the network says it; else the core follows `in_reply_to`
    venue : where it was said: the network's name alone, or `network:place` such as `reddit:r/cars`
    is_private : said to us alone
    is_ours : said by the account that this source speaks as
    asks_us : it mentions or addresses that account
    """

    id: str
    kind: Kind
    ts: dt.datetime
    author: str
    text: str = ""
    author_name: str = ""
    in_reply_to: str = ""
    thread: str = ""
    about: str = ""
    venue: str = ""
    language: str = ""
    url: str = ""
    subject_line: str = ""
    reach: int | None = None  # people who follow the author, or who saw it, as the network counts
    is_private: bool = False
    is_ours: bool = False
    asks_us: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)  # stars of a review, the kind of a reaction


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time of which something may be missing, and why in words that staff understand."""

    since: dt.datetime
    until: dt.datetime
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Page:
    """What one request brought. The cursor is what to go on with once this page is durable; any text."""

    said: Sequence[Said]
    cursor: str
    gaps: Sequence[Gap] = ()


class Failed(Exception):
    """The network refused or did not answer, in its own words.

    reason : as of a gap; `login` stops the source until somebody acts
    retry_after_s : when asking again can help; None: never, as it is
    is_unsure : of `publish`: what we posted may have been taken
    is_permanent : of `publish`: the same words will be refused again
    """

    def __init__(
        self,
        message: str,
        *,
        reason: Reason = "unreachable",
        retry_after_s: float | None = 60.0,
        is_unsure: bool = False,
        is_permanent: bool = False,
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.is_unsure = is_unsure
        self.is_permanent = is_permanent
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Media:
    """A picture that goes with a post, and what it shows in words for those who do not see it.

    content : what a connector is given is in memory already; a file is read by the core right before
    url : where everybody can fetch it while it is being posted, for networks that take no bytes; empty: nowhere
    """

    content: bytes | Path
    content_type: str
    alt: str
    width: int
    height: int
    url: str = ""

    def read(self) -> bytes:
        """The picture itself."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


@dataclass(frozen=True, slots=True)
class Draft:
    """What we want to post. `id` is ours: the same draft handed over twice has the same id.

    in_reply_to, thread : ids as the network told them in `Said`; empty for a post of our own
    to : handle or address, for private ones
    media : its pictures, in their order, each as the connector's `Pictures` say that it takes them
    """

    id: str
    text: str
    in_reply_to: str = ""
    thread: str = ""
    to: str = ""
    venue: str = ""
    language: str = ""
    subject_line: str = ""
    is_private: bool = False
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """That the network took it: its id there, where it can be seen, and the network's words."""

    id: str
    url: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: state is ok, warn or bad."""

    what: str
    state: Literal["ok", "warn", "bad"]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Hook:
    """A request that a network sent to us, as it came: names of headers in lower case.

    place : what stands behind the source's address (`inbox` of `/hooks/shop/inbox`); empty for the address itself
    """

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    place: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """What a request of a network held, and what to answer it with."""

    said: Sequence[Said] = ()
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


class Keeping(Protocol):
    """What a connector keeps for one source from day to day: JSON under keys of its own, of 200 characters at most.

    Whoever erases a person erases the entries that say `about` them, and those that name them.
    """

    def get(self, key: str) -> Any:
        """What lies under a key; None where nothing does."""
        ...

    def put(self, key: str, value: Any, *, about: str = "", days: int | None = None) -> None:
        """Keep a value, in place of what was there; durable on return.

        about : the handle of whom it tells, as in `Said.author`
        days : for how long; never longer than the source keeps words. None: until it is dropped, for what is
            ours, and for what a person asked for and can take back, such as to follow us
        """
        ...

    def drop(self, *keys: str) -> int:
        """Let entries go; gives how many there were."""
        ...

    def among(self, start: str, *, after: str = "", limit: int = 100) -> Sequence[tuple[str, Any]]:
        """Entries whose keys begin with `start`, in the order of keys, those behind `after`."""
        ...

    def count(self, start: str) -> int:
        """How many entries there are whose keys begin with `start`."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a connector may use of the world.

    now : the time, aware UTC
    fetch : asks an address: only public ones, within limits of time and size, within the source's rate budget;
        gives any status; raises Failed where nobody answers or the budget is spent
    words : what the firm follows, for networks that are searched rather than read whole
    beginnings : those of them that stand for whatever begins so
    is_stopping : whether a long-lived reader should end
    since : nothing older is wanted on the first run
    memory : what the connector may remember between rounds of one source in this process, such as a session with
        the network that may not be opened each time; never written down, and perhaps empty at any time
    kept : what it keeps for the source from day to day; None for one that is tried before it is kept
    address : where the source is called from outside, with a slash at its end
    may_post : whether what waits may leave now; no while everything outbound is paused
    """

    now: Callable[[], dt.datetime]
    fetch: Callable[[Request], Answer]
    words: Sequence[str]
    is_stopping: Callable[[], bool]
    since: dt.datetime
    memory: MutableMapping[str, Any] = field(default_factory=dict)
    kept: Keeping | None = None
    address: str = ""
    may_post: Callable[[], bool] = lambda: True
    beginnings: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Manners:
    """How a network wants to be asked.

    requests, per_s : so many requests within so many seconds, at most
    every_s : how often it is worth asking again when nothing is left
    is_lasting : `fetch` goes on until it is told to stop (a firehose, IDLE, a sync), and runs in a process of its own
    publishes_once : the network itself drops a second post with the same id, so that one whose answer was lost
        may be sent again where it cannot be found
    length_max : characters of a post; 0: no limit worth naming
    pictures : those that it takes along with a post of our own
    """

    requests: int = 60
    per_s: int = 60
    every_s: int = 60
    is_lasting: bool = False
    publishes_once: bool = False
    length_max: int = 0
    pictures: Pictures = field(default_factory=Pictures)


def setting(default: Any, label: str, text: str = "", **more: object) -> Any:
    """One field of a connector's `config`, with what a form says of it; `more` as `Connector` names it."""
    return field(default=default, metadata={"label": label, "help": text, **more})


@runtime_checkable
class Connector(Protocol):
    """One network. The folder is its name; `plugin.py` ends with `plugin = ...`.

    name, title : the folder's name, and what a screen calls it
    network : namespace of the handles there (`bluesky`, `mastodon`, `email`), and the start of its venues
    config : a frozen dataclass of `setting`s; each has a default, and in its metadata `label`, `help` and perhaps
        `secret`, `choices` (value to words), `low` and `high` of a number, `optional` (may stay empty), `lines`
        (a text of several), `made` (by the connector itself, see `Makes`; no form asks for it)
    costs : what is free and what needs the firm's own keys, in a sentence
    sees, cannot_see : what it reads, and what it cannot, in a sentence each
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def network(self) -> str: ...
    @property
    def config(self) -> type[Any]: ...
    @property
    def terms(self) -> Terms: ...
    @property
    def manners(self) -> Manners: ...
    @property
    def costs(self) -> str: ...
    @property
    def sees(self) -> str: ...
    @property
    def cannot_see(self) -> str: ...

    def check(self, config: Any) -> None:
        """Raise Invalid where the configuration cannot work; asks nobody outside."""
        ...

    def findings(self, config: Any, context: Context) -> Sequence[Finding]:
        """Ask the network whether log-in, rights and addresses work, one finding for each."""
        ...


@runtime_checkable
class Reads(Protocol):
    """A connector that is asked for what is new."""

    def fetch(self, config: Any, cursor: str, context: Context) -> Iterator[Page]:
        """Pages after the cursor (empty: from `context.since`), oldest first, until nothing is left; raises Failed."""
        ...


@runtime_checkable
class Receives(Protocol):
    """A connector that the network calls."""

    def receive(self, config: Any, hook: Hook, context: Context) -> Received:
        """What a request holds; raises kit.errors.Denied where its signature does not hold."""
        ...


@runtime_checkable
class Publishes(Protocol):
    """A connector that posts for us."""

    def publish(self, config: Any, draft: Draft, context: Context) -> Receipt:
        """Post it; raises Failed."""
        ...

    def find(self, config: Any, draft: Draft, context: Context) -> Receipt | None:
        """Whether a draft whose answer was lost was taken after all; None where it was not; raises Failed."""
        ...


@runtime_checkable
class Delivers(Protocol):
    """A connector that has things waiting to leave, such as a post for the server of each follower.

    The core calls it every `manners.every_s` while the source is on, also where the source is never asked.
    """

    @property
    def manners(self) -> Manners: ...

    def deliver(self, config: Any, context: Context) -> None:
        """Hand over what is due, while `context.may_post()`; what is not taken waits on. Raises Failed."""
        ...


@runtime_checkable
class Rechecks(Protocol):
    """A connector that can be asked whether something is still there. The core asks about all that it keeps."""

    @property
    def manners(self) -> Manners: ...

    def recheck(self, config: Any, ids: Sequence[str], context: Context) -> Sequence[Said]:
        """Deletions, and changes where the network tells them, among posts of these ids; raises Failed."""
        ...


@runtime_checkable
class Makes(Protocol):
    """A connector that makes some of its settings itself when a source is set up, such as a pair of keys."""

    def made(self, config: Any) -> Mapping[str, Any]:
        """The settings marked `made` that are empty, with what they are to be from now on."""
        ...


@runtime_checkable
class Named(Protocol):
    """A connector whose sources are accounts of ours, on our own address, which others find by WebFinger (RFC 7033)."""

    def handle(self, config: Any, address: str) -> str:
        """What people write to reach it, such as `@help@shop.example`; `address` as in `Context`."""
        ...

    def standing(self, config: Any, address: str) -> Sequence[Finding]:
        """What of the address would keep others from reaching it; asks nobody."""
        ...

    def finger(self, config: Any, resource: str, address: str) -> Mapping[str, Any] | None:
        """The JSON that describes a resource (`acct:help@shop.example`); None where it is not this account."""
        ...


@runtime_checkable
class Differs(Protocol):
    """A connector whose sources may read different networks, on different terms: a feed, a web hook."""

    def network_of(self, config: Any) -> str:
        """The namespace of the handles that a source with this configuration reads."""
        ...

    def terms_of(self, config: Any) -> Terms:
        """The terms of that network."""
        ...


@runtime_checkable
class Pictured(Protocol):
    """A connector whose sources may post to places that take other pictures than its manners say."""

    def pictures_of(self, config: Any) -> Pictures:
        """The pictures that the place of this configuration takes."""
        ...


@runtime_checkable
class Parses(Protocol):
    """A connector that speaks another protocol than HTTP shows what it makes of one recorded message."""

    def parse(self, config: Any, raw: Any) -> Sequence[Said]:
        """What one message of the network says; asks nobody."""
        ...


@dataclass(frozen=True, slots=True)
class Left:
    """Something of an archive that is left out on purpose; why, as one counts it: `reposts`, `notices of the network`."""

    why: str


@dataclass(frozen=True, slots=True)
class Unread:
    """Something of an archive that cannot be taken in: why, in a sentence, and what stood there."""

    message: str
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an archive, and what somebody said of it.

    name : its path within the archive, or its own name
    archive : the name of the whole
    open : its bytes from the beginning, each time
    beside : another file of its folder by its path from there, whole; None where there is none
    account : whose archive it is, where somebody said so: a handle, addresses, a name
    ours : what is ours on that network as far as its sources say
    date_order : `day` or `month`, where somebody said so
    zone : of times without one
    """

    name: str
    archive: str
    open: Callable[[], Bytes]
    beside: Callable[[str], bytes | None]
    now: dt.datetime
    account: str = ""
    ours: frozenset[str] = frozenset()
    date_order: str = ""
    zone: dt.tzinfo = dt.UTC


class Archive(Protocol):
    """The archive in which a network hands out what was said there.

    title : what it is, as a sentence calls it
    paths : an expression for the paths that its files have within it
    """

    @property
    def title(self) -> str: ...
    @property
    def paths(self) -> str: ...

    def holds(self, head: bytes) -> bool:
        """Whether a file that begins like this is one of it, by its content."""
        ...

    def read(self, part: Part) -> Iterator[Said | Left | Unread]:
        """What it holds, in its order; the same each time. Raises Invalid where something must be said first."""
        ...

    def again(self, row: Mapping[str, Any], part: Part) -> Said | Left | Unread:
        """One row that could not be read, as somebody has corrected it."""
        ...


@runtime_checkable
class Archived(Protocol):
    """A connector whose network hands out archives. They are read like what is heard: same ids, same terms."""

    @property
    def archive(self) -> Archive: ...


@runtime_checkable
class Owns(Protocol):
    """A connector whose configuration says what is ours on the network, such as addresses of mail."""

    def ours(self, config: Any) -> frozenset[str]:
        """Handles or addresses that are ours."""
        ...


@contextmanager
def nothing_posted() -> Iterator[None]:
    """What fails in here was not posted: a picture was handed over that no post shows yet."""
    try:
        yield
    except Failed as failed:
        failed.is_unsure = False
        raise


def retry_after_s(answer: Answer, now: dt.datetime) -> float | None:
    """The wait that an answer asks for, or when its limit is renewed; None where it says nothing."""
    return wire.wait_s(answer.headers, now)


def refusal(answer: Answer, who: str, now: dt.datetime, *, words: str = "") -> Failed:
    """What an answer that is no success means, for networks that use the statuses of HTTP as they are meant.

    `words` is what the network said of it. 401 ends the log-in; 403 is a permission that is missing; 429 is
    one request too many; what lies above 499 passes.
    """
    said = f": {words[:300]}" if words else ""
    wait = retry_after_s(answer, now)
    if answer.status == 401:
        return Failed(
            f"{who} does not accept our log-in any more{said}",
            reason="login",
            retry_after_s=None,
            hint="Enter the log-in of this source anew.",
        )
    if answer.status == 403:
        return Failed(
            f"{who} does not let us see this{said}",
            reason="permission",
            retry_after_s=3_600.0,
            is_permanent=True,
            hint="Give the account or key the right that is missing.",
        )
    if answer.status == 429:
        return Failed(
            f"{who} wants fewer requests{said}",
            reason="rate",
            retry_after_s=wait or 60.0,
            hint="It is asked again later, and not before it wants to be.",
        )
    if answer.status >= 500:
        return Failed(
            f"{who} answered {answer.status}{said}",
            retry_after_s=wait or 60.0,
            hint="Something is wrong there, and passes as a rule. It is asked again later.",
        )
    return Failed(
        f"{who} refused with {answer.status}{said}",
        retry_after_s=wait or 3_600.0,
        is_permanent=True,
        hint="See whether the addresses and names of the set-up are right: there is no such thing."
        if answer.status in {404, 410}
        else "",
    )


def tried(*asked: tuple[str, Callable[[], str], str], who: Callable[[], str] | None = None) -> list[Finding]:
    """Things that are asked for one after the other, with a finding for each.

    Each is what it is called, what asks and gives in words what it found, and what to do where that is not let.
    `who` asks whose log-in it is, before all else: where that one does not hold, nothing else is asked for.
    """
    found: list[Finding] = []
    for what, ask, hint in [("Log-in", who, ""), *asked] if who else asked:
        try:
            found.append(Finding(what, "ok", ask()))
        except Failed as failed:
            told = [failed.hint, hint] if failed.reason == "login" else [hint or failed.hint]
            found.append(Finding(what, "bad", failed.message, " ".join(one for one in told if one)))
            if who and len(found) == 1:
                break
    return found


# Whose place a general connector reads: it decides which terms hold.
WHOSE = {"others": "Somebody else's", "own": "The firm's own"}


def check_whose(whose: str, place: str = "place") -> None:
    """Raise Invalid where a setting does not say whose place is read."""
    if whose not in WHOSE:
        raise Invalid(f"{whose!r} does not say whose {place} it is", f"There are {', '.join(WHOSE)}.")


def check_network(network: str) -> None:
    """Raise Invalid for what cannot be the namespace of a network's handles."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,31}", network):
        raise Invalid(f"{network!r} cannot name a network", "Use small letters, such as ourforum.")


# What an operator may map to in a general connector, beside `id` and `ts`: members of Said, and of a review.
MAPPED_TEXTS = (
    "kind", "author", "author_name", "text", "in_reply_to", "thread", "about", "venue", "language", "url",
    "subject_line",
)  # fmt: skip
MAPPED = ("id", "ts", *MAPPED_TEXTS, "reach", "stars", "is_private", "is_ours", "asks_us")
KINDS: tuple[Kind, ...] = ("post", "message", "edit", "deletion", "reaction", "block")


def said_in(document: Any, members: Mapping[str, str]) -> Said | None:
    """What one JSON object says, by the paths of its members; None where it has no id or no time."""
    at = picking.moment(picking.pick(document, members.get("ts", "")))
    id_ = picking.text(document, members.get("id", ""))
    if at is None or not id_:
        return None
    told: dict[str, Any] = {
        name: picking.text(document, members[name]) for name in MAPPED_TEXTS if name in members
    }
    named = told.pop("kind", "")
    kind: Kind = next((one for one in KINDS if one == named), "post")
    for name in ("is_private", "is_ours", "asks_us"):
        if name in members:
            told[name] = picking.pick(document, members[name]) in (True, 1, "1", "true", "yes")
    reach = picking.pick(document, members["reach"]) if "reach" in members else None
    stars = picking.pick(document, members["stars"]) if "stars" in members else None
    return Said(
        id=id_,
        kind=kind,
        ts=at,
        author=told.pop("author", ""),
        reach=int(reach) if isinstance(reach, (int, float)) and math.isfinite(reach) else None,
        detail={"stars": stars} if isinstance(stars, (int, float)) and math.isfinite(stars) else {},
        **told,
    )


def check_members(lines: str) -> dict[str, str]:
    """The paths of members as an operator wrote them; Invalid where one is unknown or needed and missing."""
    found = picking.pairs(lines)
    if unknown := sorted(set(found) - set(MAPPED)):
        raise Invalid(f"{unknown[0]!r} is no member of what is said", f"There are {', '.join(MAPPED)}.")
    for name in ("id", "ts", "text"):
        if name not in found:
            raise Invalid(f"nothing says where the {name} is", f"Add a line such as {name} = path.to.it.")
    return found
