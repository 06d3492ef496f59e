"""Telling those with open orders of a notice before they ask: one service message each, whatever happens on the way."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
from django.conf import settings
from django.utils.translation import gettext_lazy

from rapport.consent import links
from rapport.consent.selectors import many
from rapport.kit.errors import Conflict
from rapport.knowledge import selectors, services
from rapport.messaging import services as messaging
from rapport.messaging.rules.blocks import SERVICE, Block, Template
from rapport.messaging.services.sending import KEY_CHARS_MAX
from rapport.people import selectors as people
from rapport.staff import selectors as staff

PURPOSE = "service"
AT_ONCE = 500
TEMPLATE = Template(
    key="notice_warning",
    kind=SERVICE,
    meaning=gettext_lazy("Tells somebody with an open order what is wrong with it, before they ask."),
    subject_line="{title}",
    blocks=(
        Block("heading", "{title}"),
        Block("text", "{text}"),
        Block("button", gettext_lazy("What we know now"), "{url}"),
        Block("note", gettext_lazy("You get this because of your order {order}. You need do nothing.")),
    ),
    purposes=(PURPOSE,),
    ttl_s=3 * 86_400,
)


def register() -> None:
    """Make the message known to whoever sends."""
    messaging.register_template(TEMPLATE)


def warn(slug: str) -> messaging.Planned:
    """Write to everybody whom a published notice concerns, once each; may be called again after a crash or a change.

    Who could not be written to before, and can now, is written to then. Raises Conflict where the notice is not published.
    """
    notice = selectors.notice(slug)
    if notice.state != "published":
        raise Conflict("the notice is not published", "Publish it first, so that its page can be read.")
    spoken = {code for code, _name in settings.LANGUAGES}
    firm = staff.organisation()
    main = firm.language if firm else "en"
    outcomes: list[messaging.Sent | messaging.Withheld] = []
    withheld: Counter[str] = Counter()
    planned = known = 0
    concerned = list(_addressed(selectors.affected(slug)).items())
    for at in range(0, len(concerned), AT_ONCE):
        part = concerned[at : at + AT_ONCE]
        wishes = many.wishes_of([identifier for identifier, _one in part], "language")
        made = []
        for identifier, one in part:
            wanted = str(wishes.get(identifier) or main).partition("-")[0]
            language = wanted if wanted in spoken else main
            made.append(
                messaging.Outgoing(
                    to=identifier, purpose=PURPOSE, template=TEMPLATE.key,
                    key=key_of(slug, identifier), language=language, campaign=campaign_of(slug),
                    context={
                        "title": notice.title(language), "text": notice.text(language), "order": one.order_id,
                        "url": f"{links.public_url()}/notices/{slug}/?lang={language}",
                    },
                )
            )  # fmt: skip
        sent = messaging.send_many(made, withheld_again=True)
        outcomes += sent.outcomes
        planned, known = planned + sent.planned, known + sent.known
        withheld.update(sent.withheld)
    if any(isinstance(one, messaging.Sent) for one in outcomes):
        services.note_warned(slug)
    return messaging.Planned(len(concerned), planned, dict(withheld), known, outcomes)


def campaign_of(slug: str) -> str:
    """The name under which the messages about a notice are found."""
    return f"notice {slug}"[:64]


def key_of(slug: str, identifier: str) -> str:
    """What asks for the one message of a notice to somebody; two that are long stay two."""
    key = f"notice:{slug}:{identifier}"
    if len(key) <= KEY_CHARS_MAX:
        return key
    return f"notice:{hashlib.sha256(key.encode()).hexdigest()}"


def _addressed(concerned: list[selectors.Affected]) -> dict[str, selectors.Affected]:
    """Each person once, by an address that is certainly theirs; where there is none, by what the order came by."""
    found: dict[str, selectors.Affected] = {}
    for at in range(0, len(concerned), AT_ONCE):
        part = concerned[at : at + AT_ONCE]
        cores = people.with_their_cores(np.array([one.subject for one in part], np.int64))
        subjects, core = cores["subject"].to_pylist(), cores["core"].to_pylist()
        texts = people.identifiers_for(subjects)
        by_core: dict[int, str] = {}
        for subject, number in zip(subjects, core, strict=True):
            if texts.get(subject, "").startswith("email:"):
                by_core.setdefault(number, texts[subject])
        of = dict(zip(subjects, core, strict=True))
        for one in part:
            found.setdefault(by_core.get(of.get(one.subject, -1), one.identifier), one)
    return found
