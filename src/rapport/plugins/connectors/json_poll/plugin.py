"""Any API that lists what was said as JSON: an address, where the list lies in it, and which member is what."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from rapport.kit import http, picking
from rapport.kit.errors import Invalid
from rapport.kit.http import Request
from rapport.listening.contract import (
    GDPR,
    GDPR_READ_ON,
    WHOSE,
    Context,
    Failed,
    Finding,
    Manners,
    Page,
    Said,
    Terms,
    check_members,
    check_network,
    check_whose,
    refusal,
    said_in,
    setting,
)

PAGES_MAX = 1_000  # of one round: an API whose pages never end would never be left
MEMBERS = """id = id
ts = created_at
author = author.name
text = text
in_reply_to = reply_to
url = url"""

OTHERS = Terms.least(
    30,
    "We do not know this network's terms, so the least is taken. Read them, and shorten how long words are"
    " kept if they ask for it.",
    source=GDPR,
    read_on=GDPR_READ_ON,
)
OWN = Terms.of_own_place()


@dataclass(frozen=True, slots=True)
class Config:
    """Where the list is, and what its members mean."""

    url: str = setting("", "Address", "Of the list, with whatever its query needs, such as a page size.")
    network: str = setting(
        "", "Name of the network", "Small letters, such as ourforum. Handles are known by it."
    )
    whose: str = setting("others", "Whose place", "Decides what may be done with its words.", choices=WHOSE)
    items: str = setting(
        "items",
        "Where the list lies",
        "A path such as data.posts; empty where the answer itself is the list.",
        optional=True,
    )
    members: str = setting(
        MEMBERS, "What is what", "A line for each: name = path. id, ts and text are needed.", lines=True
    )
    cursor_path: str = setting(
        "",
        "Where the next page is named",
        "A path such as paging.next; it may hold a whole address. Empty where there are no pages.",
        optional=True,
    )
    cursor_param: str = setting(
        "cursor", "Parameter for the next page", "Such as cursor or page.", optional=True
    )
    since_param: str = setting(
        "",
        "Parameter for the time",
        "Where the API takes one: it then gets the newest time that was read.",
        optional=True,
    )
    header: str = setting("Authorization", "Header of the key", "In which the key is sent.", optional=True)
    token: str = setting(
        "",
        "Key",
        "As it goes into the header, such as Bearer abc. Kept encrypted.",
        secret=True,
        optional=True,
    )


class JsonPoll:
    """One list a source."""

    name = "json_poll"
    title = "Any JSON API"
    network = "web"
    config: type[Any] = Config
    terms = OTHERS
    manners = Manners(requests=30, per_s=60, every_s=120)
    costs = "Free where the API is; some want a key of the firm's."
    sees = "Whatever the API lists, once you have said which member is what."
    cannot_see = "What the API does not list, and what is changed or deleted without the list saying so."

    def check(self, config: Config) -> None:
        http.place_of(config.url)
        check_network(config.network)
        check_whose(config.whose)
        if config.cursor_path and not config.cursor_param:
            raise Invalid("nothing says how a next page is asked for", "Name its parameter.")
        if not re.fullmatch(r"[A-Za-z0-9-]*", config.header) or "\n" in config.token or "\r" in config.token:
            raise Invalid("the key cannot be sent in such a header", "Name a header such as Authorization.")
        check_members(config.members)

    def network_of(self, config: Config) -> str:
        return config.network or self.network

    def terms_of(self, config: Config) -> Terms:
        return OWN if config.whose == "own" else OTHERS

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        document = _asked(config, _address(config, "", ""), context)
        items = _items(config, document)
        members = check_members(config.members)
        said = [one for item in items if (one := said_in(item, members))]
        found = [Finding("list", "ok" if items else "warn", f"it holds {len(items)} entries")]
        if len(said) < len(items):
            found.append(
                Finding(
                    "members", "bad" if not said else "warn",
                    f"{len(items) - len(said)} entries have no id or no time where you said they are",
                    "Compare the paths with an answer of the API.",
                )
            )  # fmt: skip
        if said and not any(one.text for one in said):
            found.append(
                Finding("text", "bad", "no entry has a text where you said it is", "Correct its path.")
            )
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        before = json.loads(cursor) if cursor else {}
        members = check_members(config.members)
        newest, place = before.get("newest", ""), before.get("place", "")
        first = newest or context.since.isoformat()
        seen = {place}
        for _ in range(PAGES_MAX):
            document = _asked(config, _address(config, place, first), context)
            items = _items(config, document)
            said = sorted(
                (
                    one
                    for item in items
                    if (one := said_in(item, members)) and _is_wanted(one, before, context)
                ),
                key=lambda one: one.ts,
            )
            newest = max([newest, *(one.ts.astimezone(dt.UTC).isoformat() for one in said)])
            onward = picking.text(document, config.cursor_path) if config.cursor_path else ""
            is_end = not items or not onward or onward in seen
            # At the end the page stays: what is new will be on it, or on the one it names next.
            kept = "" if config.since_param else (place if is_end else onward)
            yield Page(said, json.dumps({"place": kept, "newest": newest}))
            if is_end:
                return
            seen.add(onward)
            place = onward


def _is_wanted(one: Said, before: dict[str, Any], context: Context) -> bool:
    return bool(before) or one.ts >= context.since


def _address(config: Config, place: str, since: str) -> str:
    """The address of a page: what is named next may be one itself, of the same host alone."""
    if place.startswith(("http://", "https://")):
        if urlsplit(place)[:2] != urlsplit(config.url)[:2]:
            raise Failed(
                f"the next page would lie on another host: {urlsplit(place).hostname}",
                reason="permission", retry_after_s=None, hint="Correct the path of the next page.",
            )  # fmt: skip
        return place
    parts = urlsplit(config.url)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    if place and config.cursor_param:
        asked[config.cursor_param] = place
    if config.since_param and since:
        asked[config.since_param] = since
    return urlunsplit(parts._replace(query=urlencode(asked)))


def _asked(config: Config, url: str, context: Context) -> Any:
    headers = {"Accept": "application/json"}
    if config.token and config.header:
        headers[config.header] = config.token
    answer = context.fetch(Request(url, headers=headers))
    host = urlsplit(url).hostname or url
    if answer.status != 200:
        raise refusal(answer, host, context.now())
    try:
        return json.loads(answer.body)
    except ValueError:
        raise Failed(
            f"what {host} sends is no JSON", retry_after_s=3_600.0, hint="Open the address and look."
        ) from None


def _items(config: Config, document: Any) -> list[Any]:
    found = picking.pick(document, config.items)
    if not isinstance(found, list):
        raise Failed(
            f"there is no list at {config.items or 'the top'} of the answer", retry_after_s=3_600.0,
            hint="Correct where the list lies.",
        )  # fmt: skip
    return found


plugin = JsonPoll()
