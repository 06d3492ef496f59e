"""Links to the customer's own pages: who holds one is taken to read the identifier's mail, so no log-in is asked.

There are three kinds. A `standing` link goes into every message and lives long: it opens wishes, which do no
harm in the wrong hands. A `fresh` one is asked for, lives a week, and opens what shows or erases what we
know. A `one-click` one takes back one consent and does nothing else, so it never closes: an old message's
way out must still be one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

from rapport.kit import home, signing
from rapport.kit.errors import Denied, Invalid

STANDING = dt.timedelta(days=400)  # longer than a year, so that last year's Christmas mail still works
FRESH = dt.timedelta(days=7)

# The pages by the last part of their address, and whether they need a fresh link.
PAGES = {
    "preferences": False,
    "why": False,
    "object": False,
    "everything": True,
    "correct": True,
    "take": True,
    "forget": True,
}


@dataclass(frozen=True, slots=True)
class OneClick:
    """What a one-click link takes back; `is_old` where it opens nothing but that any more."""

    identifier: str
    purpose: str
    channel: str
    message_id: str
    is_old: bool


def public_url() -> str:
    """Where customers reach this installation, without a slash at the end."""
    return home.public_url()


def url_for(identifier: str, page: str = "preferences", **query: str) -> str:
    """The whole address of a customer's page; it carries what shows that its holder is `identifier`."""
    if page not in PAGES:
        raise Invalid(f"customers have no page {page!r}", f"There are: {', '.join(PAGES)}.")
    token = fresh_token(identifier) if PAGES[page] else standing_token(identifier)
    return f"{public_url()}/my/{page}/{token}" + (f"?{urlencode(query)}" if query else "")


def one_click_url(identifier: str, purpose: str, channel: str, message_id: str = "") -> str:
    """The address for List-Unsubscribe (RFC 8058): a POST there withdraws, a GET shows a page."""
    token = signing.sign("one-click", identifier, purpose, channel, message_id, ttl=STANDING)
    return f"{public_url()}/u/{token}"


def object_url(network: str = "") -> str:
    """The page where somebody who writes in public on a network objects to our keeping it."""
    return f"{public_url()}/object" + (f"?{urlencode({'network': network})}" if network else "")


def standing_token(identifier: str) -> str:
    """What a link in every message carries."""
    return signing.sign("standing", identifier, ttl=STANDING)


def fresh_token(identifier: str) -> str:
    """What a link carries that was just asked for."""
    return signing.sign("fresh", identifier, ttl=FRESH)


def holder(token: str) -> str:
    """The identifier whose standing or fresh link this is; Denied once it expired, Invalid if not ours."""
    try:
        return signing.read("fresh", token)[0]
    except Denied:
        raise
    except Invalid:
        return signing.read("standing", token)[0]


def fresh_holder(token: str) -> str | None:
    """The identifier of a fresh link that is still good, or None for any other token."""
    try:
        return signing.read("fresh", token)[0]
    except (Denied, Invalid):
        return None


def past_holder(token: str) -> str:
    """The identifier of a link that may have expired: good for mailing it a new link, and nothing else."""
    try:
        return signing.expired_fields("fresh", token)[0]
    except Invalid:
        return signing.expired_fields("standing", token)[0]


def one_click(token: str) -> OneClick:
    """What a one-click link takes back, however old it is; Invalid where it is none of ours."""
    identifier, purpose, channel, message_id = signing.expired_fields("one-click", token)
    return OneClick(identifier, purpose, channel, message_id, is_old=signing.is_expired("one-click", token))
