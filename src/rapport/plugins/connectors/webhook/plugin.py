"""Anything that can call an address: signed requests that hold what was said as JSON."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapport.kit import picking
from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import (
    GDPR,
    GDPR_READ_ON,
    WHOSE,
    Context,
    Finding,
    Hook,
    Manners,
    Received,
    Said,
    Terms,
    check_members,
    check_network,
    check_whose,
    said_in,
    setting,
)

TOLERANCE_S = 300  # how far its clock and ours may lie apart; an older request is a replay
SECRET_CHARS_MIN = 24
ENTRIES_MAX = 1_000
TIMESTAMP, SIGNATURE = "x-rapport-timestamp", "x-rapport-signature"
MEMBERS = """id = id
ts = ts
author = author
text = text
in_reply_to = in_reply_to
url = url"""

OTHERS = Terms.least(
    30,
    "We do not know where these words come from, so the least is taken.",
    source=GDPR,
    read_on=GDPR_READ_ON,
)
OWN = Terms.of_own_place()


@dataclass(frozen=True, slots=True)
class Config:
    """The secret that requests are signed with, and what their members mean."""

    network: str = setting(
        "", "Name of the network", "Small letters, such as ourforum. Handles are known by it."
    )
    secret: str = setting(
        "",
        "Secret",
        "Shared with whoever calls; at least 24 characters. Two, separated by a space, while you change it.",
        secret=True,
    )
    whose: str = setting("others", "Whose place", "Decides what may be done with its words.", choices=WHOSE)
    items: str = setting(
        "",
        "Where the list lies",
        "A path such as events; empty where the body is one entry, or a list of them.",
        optional=True,
    )
    members: str = setting(
        MEMBERS, "What is what", "A line for each: name = path. id, ts and text are needed.", lines=True
    )


class Webhook:
    """One caller a source."""

    name = "webhook"
    title = "Signed web hook"
    network = "web"
    config: type[Any] = Config
    terms = OTHERS
    manners = Manners()
    costs = "Free; whoever calls needs a few lines that sign the request."
    sees = "What is sent to its address, the moment it is sent."
    cannot_see = "What was sent while Rapport could not be reached, unless the caller sends it again."

    def check(self, config: Config) -> None:
        check_network(config.network)
        check_whose(config.whose)
        if not config.secret.split() or min(map(len, config.secret.split())) < SECRET_CHARS_MIN:
            raise Invalid(
                f"the secret is shorter than {SECRET_CHARS_MIN} characters",
                "Make one with: openssl rand -hex 32.",
            )
        check_members(config.members)

    def network_of(self, config: Config) -> str:
        return config.network or self.network

    def terms_of(self, config: Config) -> Terms:
        return OWN if config.whose == "own" else OTHERS

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:  # noqa: ARG002  there is nobody to ask
        self.check(config)
        return [Finding("set-up", "ok", "it can be called", "Send a first request and see that it arrives.")]

    def receive(self, config: Config, hook: Hook, context: Context) -> Received:
        check_signature(config, hook, context.now())
        try:
            document = json.loads(hook.body)
        except ValueError:
            raise Invalid("the body is no JSON", "Send one entry, or a list of them.") from None
        found = picking.pick(document, config.items)
        items = found if isinstance(found, list) else [found]
        if len(items) > ENTRIES_MAX:
            raise Invalid(f"{len(items)} entries are too many at once", f"Send up to {ENTRIES_MAX}.")
        members = check_members(config.members)
        said: list[Said] = []
        for place, item in enumerate(items):
            one = said_in(item, members)
            if one is None:
                raise Invalid(f"entry {place} has no id or no time", "See what the source says is what.")
            said.append(one)
        return Received(said, 202, b"accepted")


def check_signature(config: Config, hook: Hook, now: dt.datetime) -> None:
    """Raise Denied unless the request was signed lately by whoever knows the secret.

    The signature is over the time, a dot and the body, so that neither can be exchanged; several may be
    given, separated by commas. Every one is compared in full, in a time that says nothing of how much was right.
    """
    told = hook.headers.get(TIMESTAMP, "")
    given = [part.strip().removeprefix("v1=") for part in hook.headers.get(SIGNATURE, "").split(",")][:8]
    message = told.encode() + b"." + hook.body
    is_known = False
    for secret in config.secret.split():
        right = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
        for one in given:
            is_known |= hmac.compare_digest(right.encode(), one.encode())
    if not is_known:
        raise Denied("the signature does not hold", "Sign the time, a dot and the body with the secret.")
    if not re.fullmatch(r"\d{9,11}", told) or abs(now.timestamp() - int(told)) > TOLERANCE_S:
        raise Denied("the request is too old, or its clock is wrong", f"Send it within {TOLERANCE_S} s.")


plugin = Webhook()
