"""The mail by which a customer gets a fresh link to their own pages, and how often there is one."""

from __future__ import annotations

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.consent import links
from rapport.kit import clock, secret
from rapport.kit.errors import Invalid
from rapport.messaging import services as messaging
from rapport.messaging.rules.blocks import SERVICE, Block, Template

KEY = "own_pages"
EVERY_S = 900  # at most one mail to an address within this time
MOST_A_DAY = 8

messaging.register_template(
    Template(
        key=KEY,
        kind=SERVICE,
        meaning=gettext_lazy("A fresh link to somebody's own pages, sent because they asked for it."),
        subject_line=gettext_lazy("Your link to what {firm} knows of you"),
        blocks=(
            Block("heading", gettext_lazy("Your own pages")),
            Block(
                "text",
                gettext_lazy(
                    "With this link you see what {firm} knows of you. You can correct it, take it with you,"
                    " or have it erased."
                ),
            ),
            Block("button", gettext_lazy("Open my pages"), "{own_url}"),
            Block(
                "note",
                gettext_lazy(
                    "The link works for {days} days. Do not pass it on: whoever has it sees what you see."
                    " If you did not ask for it, you need not do anything."
                ),
            ),
        ),
        ttl_s=int(links.FRESH.total_seconds()),
    )
)


def mail(identifier: str, page: str = "") -> bool:
    """Mail a fresh link to an identifier; whether one is on its way, which an earlier one may be.

    Only an e-mail address can be written to. The interval is part of the message's own key, so it holds over
    every process and over restarts.
    """
    if not identifier.startswith("email:"):
        raise Invalid(
            _("we can only write to e-mail addresses from here"), _("Ask us by telephone or in the shop.")
        )
    if not messaging.may_ask(KEY, identifier, most=MOST_A_DAY, within=dt.timedelta(days=1)):
        return True
    interval = clock.now_us() // (EVERY_S * 1_000_000)
    outcome = messaging.send(
        messaging.Outgoing(
            to=identifier,
            purpose="service",
            template=KEY,
            context={
                "own_url": links.url_for(identifier, page if page in links.PAGES else "everything"),
                "days": str(links.FRESH.days),
            },
            key=f"{KEY}:{secret.keyed_hash(KEY, identifier)}:{interval}",
            language=translation.get_language(),
        )
    )
    return isinstance(outcome, messaging.Sent)
