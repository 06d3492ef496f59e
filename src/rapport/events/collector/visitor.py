"""What one request of the visitor script becomes: messages in the loader's shape, and what was refused. Pure.

Here consent is enforced for what comes from browsers, whatever the script believed. A message of somebody
who allowed it is an event of that browser. Any other page is a `page_counted` of the site, with nobody in
it, where the firm counts; all else is refused. Only identifiers that are proved are said to be one person
with the browser: by a signed link, or by the shop's own signature of who logged in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from rapport.events.collector import sites
from rapport.events.collector.envelope import MESSAGE_BYTES_MAX, Refused
from rapport.kit import ids, signing
from rapport.kit.errors import RapportError

REQUEST_BYTES_MAX = 64 * 1024  # what a browser lets a page leave behind when it closes
MESSAGES_MAX = 100

DOOR = b"site"  # says to the loader that this module made the document
LINK = "site"  # the kind of the signed tokens that a link carries as `rp`
MEASURING = "analytics"  # the purpose without which a browser's events are nobody's
CONSENT = {"consent_granted", "consent_denied", "consent_withdrawn"}
ANSWER = "banner_answered"
ANSWERS = {"accepted", "partly", "refused"}
COUNTED = ("path", "referrer", "campaign", "campaign_source", "campaign_medium")

_ANONYMOUS = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


class _Sent(msgspec.Struct, rename="camel"):
    key: str
    batch: list[dict[str, Any]]
    sent_at: str | None = None


_decode = msgspec.json.Decoder(_Sent).decode
_encode = msgspec.json.encode


@dataclass(slots=True)
class Taken:
    """What a request holds once read."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)  # (reason, the event's name)
    has_withdrawn: bool = False  # this browser's consent was taken back elsewhere: it must forget

    def document(self, sent_at: str | None) -> bytes:
        """In the loader's shape."""
        return _encode({"batch": self.kept, "sentAt": sent_at, "door": DOOR.decode()})


def read(raw: bytes) -> _Sent:
    """A request's body, or Refused."""
    if len(raw) > REQUEST_BYTES_MAX:
        raise Refused(
            413, f"the request is larger than {REQUEST_BYTES_MAX // 1024} kB", "Send fewer at a time."
        )
    try:
        sent = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(
            400, f"the body cannot be read: {error}", "The visitor script sends what is understood here."
        ) from None
    if not 0 < len(sent.batch) <= MESSAGES_MAX:
        raise Refused(
            400, f"the batch holds {len(sent.batch)} messages", f"Send between 1 and {MESSAGES_MAX}."
        )
    return sent


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a request comes from: the site, the page's host, the machine's name if it is one."""

    key: str
    site: sites.Site
    host: str = ""
    bot: str = ""
    withdrawn: frozenset[str] = frozenset()


def take(batch: list[dict[str, Any]], sender: Sender) -> Taken:
    """Decide about each message."""
    taken = Taken()
    for sent in batch:
        what = _text(sent.get("event")) or _text(sent.get("type"))
        found = _settle(sent, taken, sender)
        if isinstance(found, str):
            taken.refused.append((found, what))
        elif len(_encode(found)) > MESSAGE_BYTES_MAX:
            taken.refused.append(("too_large", what))
        else:
            taken.kept.append(found)
    return taken


def _settle(sent: dict[str, Any], taken: Taken, sender: Sender) -> dict[str, Any] | str:
    """The message to keep, or the reason why it is refused."""
    kind, event = sent.get("type"), _text(sent.get("event"))
    if kind not in ("page", "track", "identify") or (kind == "track" and not event):
        return "unknown_type"
    stated = sent.get("properties")
    properties: dict[str, Any] = stated if isinstance(stated, dict) else {}
    kept: dict[str, Any] = {
        "type": kind,
        "messageId": _text(sent.get("messageId"))[:64] or str(ids.uuid7()),
        "timestamp": sent.get("timestamp"),
        "context": {"channel": "web", "page": {"host": sender.host}},
    }
    if sender.bot:
        if kind != "page":
            return "machine"
        crawled = {"bot": sender.bot, "path": _text(properties.get("path"))}
        return kept | {"type": "track", "event": "page_crawled", "properties": crawled}
    if event == ANSWER:
        choice = properties.get("choice")
        if choice not in ANSWERS:
            return "unknown_type"
        return kept | {"event": event, "properties": {"choice": choice, "version": sender.site.version}}
    anonymous = _text(sent.get("anonymousId"))
    if not _ANONYMOUS.fullmatch(anonymous):
        return _unnamed(kept, properties, sender)
    allowed = _allowed(sent)
    if sender.withdrawn and sites.withdrawn_hash(f"anonymous:{anonymous}") in sender.withdrawn:
        taken.has_withdrawn, allowed = True, {}
    kept["anonymousId"] = anonymous
    if kind == "track" and event in CONSENT:
        return kept | {"event": event, "properties": _consent(properties)}
    if kind == "identify":
        return _identify(sent, kept, sender) if any(allowed.values()) else "no_consent"
    if not allowed.get(MEASURING):
        del kept["anonymousId"]
        unnamed = _unnamed(kept, properties, sender)
        return "withdrawn" if taken.has_withdrawn and isinstance(unnamed, str) else unnamed
    kept["context"]["consent"] = {"categoryPreferences": allowed}
    if kind == "track":
        kept["event"] = event
    return kept | {"properties": _form(properties, sender.site) if event == "form_sent" else properties}


def _unnamed(kept: dict[str, Any], properties: dict[str, Any], sender: Sender) -> dict[str, Any] | str:
    """A page without anybody in it, where the firm counts."""
    if kept["type"] != "page" or sender.site.before_consent != sites.COUNT:
        return "no_consent"
    counted = {name: properties[name] for name in COUNTED if isinstance(properties.get(name), str)}
    return kept | {"type": "track", "event": "page_counted", "properties": counted}


def _allowed(sent: dict[str, Any]) -> dict[str, bool]:
    """What this browser's owner allowed, as Segment's consent preferences state it."""
    found: Any = sent.get("context")
    for name in ("consent", "categoryPreferences"):
        found = found.get(name) if isinstance(found, dict) else None
    return {k: v is True for k, v in found.items() if len(k) <= 64} if isinstance(found, dict) else {}


def _consent(properties: dict[str, Any]) -> dict[str, str]:
    """Evidence of a choice on the banner: what was asked, in which wording, on which page."""
    names = ("purpose", "channel", "wording", "shown")
    stated = {name: _text(properties.get(name))[:512] for name in names if properties.get(name)}
    return stated | {"how": "banner"}


def _identify(sent: dict[str, Any], kept: dict[str, Any], sender: Sender) -> dict[str, Any] | str:
    """Who this browser is, where that is proved."""
    token, customer, proof = (_text(sent.get(name)) for name in ("token", "userId", "proof"))
    if token:
        try:
            proved, evidence = list(signing.read(LINK, token))[:1], "link"
        except RapportError:
            return "unproved"
    elif customer and is_proof(proof, customer, sender.key, sender.site):
        proved, evidence = [f"customer:{customer}"], "login"
    else:
        return "unproved"
    kept["context"]["rapport"] = {"proved": proved, "evidence": evidence}
    return kept | {"traits": {}}


def is_proof(proof: str, customer: str, key: str, site: sites.Site) -> bool:
    """Whether the shop itself signed this customer's number: HMAC-SHA256 in hex, with the login secret."""
    secret = sites.login_secret(key, site).encode()
    expected = hmac.new(secret, customer.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), proof.lower().encode("utf-8", "replace"))


def _form(properties: dict[str, Any], site: sites.Site) -> dict[str, Any]:
    """A form without what was written into it, unless the firm asked for this form's marked fields."""
    if properties.get("form") in site.forms:
        return properties
    return {name: value for name, value in properties.items() if name != "values"}


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
