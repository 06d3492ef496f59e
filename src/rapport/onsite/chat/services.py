"""Verbs of the chat: set it up, take a line, hand over what was answered, mail it to whoever has gone."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from rapport.consent.erasers import Erasing
from rapport.events import services as events
from rapport.kit import bulk, clock
from rapport.kit.errors import Conflict, Invalid, Unavailable
from rapport.messaging import services as messaging
from rapport.messaging.rules.blocks import SERVICE, Block, Template
from rapport.onsite.chat import rules, selectors
from rapport.onsite.models import Chat, ChatDesk, ChatLine, ChatPresence, Site

MAIL = Template(
    key="chat_answer",
    kind=SERVICE,
    meaning=_("What was answered in the chat, for somebody who had gone and left an address for it."),
    subject_line=_("{firm}: the answer to your question in the chat"),
    blocks=(
        Block("heading", _("You asked us in the chat")),
        Block("text", "{answer}"),
        Block("note", _("You left this address for the answer. We use it for nothing else.")),
    ),
    ttl_s=3 * 86_400,
)
NOTED_EVERY = dt.timedelta(seconds=20)  # of a window that asks every few seconds, and of a colleague's screen


def set_up(
    source: str,
    *,
    by: str,
    is_on: bool,
    hours: Mapping[str, str],
    zone: str,
    greeting: Mapping[str, str],
    within_min: int,
) -> selectors.DeskView:
    """Set a site's chat up; Invalid where something of it cannot be, and then nothing is changed."""
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise Invalid(f"{zone!r} is no time zone", "Choose one of the list.") from None
    least, most = rules.WITHIN_MIN
    if not least <= within_min <= most:
        raise Invalid(
            f"an answer within {within_min} minutes cannot be promised",
            f"Choose between {least} and {most} minutes.",
        )
    said = {lang: text.strip() for lang, text in greeting.items() if text.strip()}
    for language, text in said.items():
        if language not in rules.languages():
            raise Invalid(
                f"the chat does not speak {language!r}", f"It speaks {', '.join(rules.languages())}."
            )
        if len(text) > rules.WORD_CHARS_MAX:
            raise Invalid(
                f"the greeting in {language} is too long", f"Write at most {rules.WORD_CHARS_MAX} characters."
            )
    site = Site.objects.get(source=source)
    values = {
        "is_on": is_on,
        "hours": rules.hours(hours),
        "zone": zone,
        "greeting": said,
        "within_min": within_min,
        "changed_at": clock.now(),
        "changed_by": by,
    }
    ChatDesk.objects.update_or_create(site=site, defaults=values)
    return selectors.desk(source)


def say(
    desk: selectors.DeskView,
    token: str,
    key: str,
    text: str,
    *,
    language: str = "",
    page: str = "",
    visitor: str = "",
) -> selectors.Line:
    """Take one line of a visitor. When this returns it is in the log for good; said twice, it is taken once.

    `visitor` is the visitor script's number of the same browser, where its owner allowed that.
    """
    chat_id = selectors.chat_id(token)
    name = f"{chat_id}:{rules.key(key)}"
    said = rules.text(text)
    now = clock.now()
    with transaction.atomic():
        chat, is_new = Chat.objects.get_or_create(
            id=chat_id,
            defaults={
                "site": Site.objects.get(source=desk.source),
                "language": language,
                "began_at": now,
                "heard_at": now,
            },
        )
        if not is_new:
            a_day_ago = now - dt.timedelta(days=1)
            n = ChatLine.objects.filter(chat=chat, is_ours=False, said_at__gte=a_day_ago).count()
            if n >= rules.LINES_A_DAY_MAX and not ChatLine.objects.filter(key=name).exists():
                raise Unavailable(
                    "this chat has taken all that it takes in a day",
                    "Write to us by e-mail.",
                    retry_after_s=3600,
                )
        line, _is_new = ChatLine.objects.get_or_create(
            key=name, defaults={"chat": chat, "is_ours": False, "text": said, "said_at": now}
        )
    number = rules.visitor(visitor)
    # Once more where the first time ended before the browser heard of it: the log knows the line by its name.
    events.touchpoint(
        "message_received",
        selectors.identifier(chat_id),
        source=rules.CHANNEL,
        message_id=name,
        ts=line.said_at,
        also=[f"{rules.NAMESPACE}:{number}"] if number else None,
        evidence="chat" if number else None,
        channel=rules.CHANNEL,
        venue=rules.CHANNEL,
        text=line.text,
        properties={
            "network": rules.CHANNEL,
            "post_id": name,
            "thread": chat_id,
            "language": chat.language,
            "page": page[:500],
        },
    )
    return selectors.Line(line.id, False, line.text, line.said_at, key)


def hear(token: str, after: int) -> list[selectors.Line]:
    """What was said after a line that the window has; that it asks shows that somebody may be reading."""
    chat = selectors.chat_id(token)
    now = clock.now()
    has = max(0, min(after, 2**62))
    Chat.objects.filter(id=chat).filter(Q(heard_at__lt=now - NOTED_EVERY) | Q(heard_upto__lt=has)).update(
        heard_at=now, heard_upto=has
    )
    return selectors.lines(chat, has)


def leave_mail(token: str, address: str) -> str:
    """Keep an address to answer to once the window is closed; gives it as it is kept."""
    mail = rules.mail(address)
    if not Chat.objects.filter(id=selectors.chat_id(token)).update(mail=mail):
        raise Conflict("there is no chat yet", "Write your question first.")
    return mail


def answer(chat: str, text: str, key: str) -> None:
    """Put what we answer where the visitor's window fetches it; the same key twice is one line."""
    if not Chat.objects.filter(id=chat).exists():
        raise Conflict(
            "this chat is over: its window was emptied, or the visitor was forgotten",
            "Answer by another way, if there is one.",
        )
    ChatLine.objects.get_or_create(
        key=f"{chat}:={key}"[:110],
        defaults={"chat_id": chat, "is_ours": True, "text": text, "said_at": clock.now()},
    )


def note_present(staff_id: int) -> None:
    """Note that a colleague who may answer has the inbox open."""
    now = clock.now()
    seen = ChatPresence.objects.filter(staff=staff_id).values_list("seen_at", flat=True).first()
    if seen is None or seen < now - NOTED_EVERY:
        columns = ("staff", "seen_at")
        bulk.upsert(
            "onsite_chatpresence",
            columns,
            [(staff_id, bulk.time_value(now))],
            conflict=("staff",),
            update=("seen_at",),
        )


def mail_answers() -> int:
    """Mail what was answered to those who left an address and have gone; gives how many mails were planned."""
    waiting = (
        Chat.objects.exclude(mail="")
        .filter(heard_at__lt=clock.now() - rules.GONE)
        .annotate(last=Max("line__id", filter=Q(line__is_ours=True)))
        .filter(last__gt=F("heard_upto"))
        .filter(last__gt=F("mailed_upto"))[:100]
    )
    n = 0
    for chat in waiting:
        to = f"email:{chat.mail}"
        lines = ChatLine.objects.filter(
            chat=chat, is_ours=True, id__gt=max(chat.heard_upto, chat.mailed_upto), id__lte=chat.last
        ).order_by("id")
        why = "limit"
        if messaging.may_ask(MAIL.key, to, most=rules.MAILS_A_DAY, within=dt.timedelta(days=1)):
            with translation.override(chat.language):
                outcome = messaging.send(
                    messaging.Outgoing(
                        to=to,
                        purpose="service",
                        template=MAIL.key,
                        context={"answer": "\n\n".join(line.text for line in lines)},
                        key=f"{MAIL.key}:{chat.id}:{chat.last}",
                        language=chat.language,
                    )
                )
            why = outcome.reason if isinstance(outcome, messaging.Withheld) else ""
            n += not why
        # It is not tried again: it stays in the window, and who answered sees that nobody was told by mail.
        unmailed = {"unmailed_upto": chat.last, "unmailed_why": why[:48]} if why else {}
        Chat.objects.filter(id=chat.id).update(mailed_upto=chat.last, **unmailed)
    return n


def forget_old() -> int:
    """Empty the windows of chats in which nothing happened for long; gives how many."""
    before = clock.now() - rules.KEEP
    ChatPresence.objects.filter(seen_at__lt=before).delete()
    return Chat.objects.filter(heard_at__lt=before).delete()[0]


def erase(erasing: Erasing) -> int:
    """Forget the chats of somebody, and the address that they left in one."""
    mine = [
        text.partition(":")[2]
        for text in erasing.identifiers
        if text.startswith(f"{rules.NAMESPACE}:{rules.PREFIX}")
    ]
    mails = [text.partition(":")[2] for text in erasing.identifiers if text.startswith("email:")]
    n = ChatLine.objects.filter(chat__in=mine).delete()[0]
    n += Chat.objects.filter(mail__in=mails).exclude(id__in=mine).update(mail="")
    return n + Chat.objects.filter(id__in=mine).delete()[0]
