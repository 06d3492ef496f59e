"""Answers: what somebody of ours says to somebody, in public or to them alone. The one way out for all of them.

An answer passes these, in order: suppression and objection as far as they concern an answer, the terms of
the network, the venue's rule card, and in public the approval of a second person unless the firm said
otherwise of the source. What the rule card doubts needs that approval all the same, and not its writer's. What
passes is a row before it leaves; what does not is a row with its reason.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from rapport.consent import selectors as consent
from rapport.events.rules import IDENTIFIER_PATTERN, normal_identifier
from rapport.kit import clock, ids
from rapport.kit.errors import Invalid, NotFound
from rapport.listening import selectors as listening
from rapport.listening.services.album import Kept
from rapport.messaging.models import Delivery, Reply
from rapport.messaging.services import accounts
from rapport.messaging.services.preparing import ANSWER, MAIL
from rapport.messaging.services.sending import KEY_CHARS_MAX, Outcome, Sent, Withheld
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.venues import services as venues
from rapport.venues.rules import Finding, Tick, is_promoting
from rapport.venues.rules.cards import network_of

PURPOSE = "service"
NEEDS_APPROVAL = "needs_approval"  # the reason why it waits
FIRM = "firm"  # namespace of the pages that are our own: what is posted there is said to nobody in particular
WORTH = dt.timedelta(days=3)  # an answer that could not leave for so long answers nobody any more
WEIGHED = dt.timedelta(days=90)  # over which help and promotion are weighed against each other
REMEMBERED = 20  # of our last texts at a venue, against which a new one is held


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody wants to answer.

    source : by which it was read and is to leave; a channel's name, such as `chat` or `email`, where no source
        of listening is meant
    to : identifier of whom it answers
    key : idempotency key; whoever asks twice with one key answers once
    in_reply_to, thread : ids as the network told them
    by, approved_by : mail addresses of members of staff
    was_asked : they addressed us, or asked everybody
    """

    source: str
    to: str
    text: str
    key: str
    conversation: str = ""
    in_reply_to: str = ""
    thread: str = ""
    venue: str = ""
    language: str = ""
    subject_line: str = ""
    by: str = ""
    is_public: bool = True
    approved_by: str = ""
    was_asked: bool = False
    is_service: bool = True
    channel: str = (
        ""  # as events name it; empty: `social` in public, `direct` in private, or the channel's own
    )
    expires_at: dt.datetime | None = None
    is_own_post: bool = (
        False  # said to everybody on a page of our own, in answer to nobody; `to` is not looked at
    )
    pictures: Sequence[Kept] = ()
    at: dt.datetime | None = None  # of a preview: when it would be said; None: now


@dataclass(frozen=True, slots=True)
class Preview:
    """What would leave, and what stands against it: `reason` is empty where nothing does."""

    text: str
    venue: str
    ticks: tuple[Tick, ...]
    needs_approval: bool
    reason: str = ""
    message: str = ""
    hint: str = ""

    @property
    def findings(self) -> list[Finding]:
        found = [finding for tick in self.ticks for finding in tick.findings]
        return sorted(found, key=lambda finding: not finding.is_forbidden)

    @property
    def may_leave(self) -> bool:
        return not self.reason


@dataclass(frozen=True, slots=True)
class Standing:
    """How we stand at a venue over the last `days`: answers that helped, that promoted, and what we said."""

    helpful: int = 0
    promoting: int = 0
    said_before: tuple[str, ...] = ()
    days: int = WEIGHED.days


@dataclass(frozen=True, slots=True)
class _Way:
    """How an answer leaves: by a source of listening, or by a channel."""

    channel: str
    source: str
    network: str
    is_posted: bool


def preview_reply(answer: Answer) -> Preview:
    """What would leave if this answer were given now; nothing is written. Raises Invalid where it makes no sense."""
    given, way = _checked(answer)
    return _preview(given, way)


def reply(answer: Answer) -> Outcome:
    """Plan an answer, or withhold it with its reason; it leaves within a moment where the worker runs.

    Nothing leaves twice for one key. What was withheld may be given again with its key once what stood against
    it is gone. Raises Invalid where the answer makes no sense.
    """
    given, way = _checked(answer)
    with transaction.atomic():
        before = Delivery.objects.select_for_update().filter(key=given.key).first()
        if before is not None and (before.state != Delivery.State.WITHHELD or before.template != ANSWER):
            return Sent(before.id, before.state)
        preview = _preview(given, way)
        delivery = before.id if before is not None else ids.uuid7()
        _write(delivery, given, way, preview)
    if preview.reason:
        return Withheld(delivery, preview.reason, preview.message, preview.hint, tuple(preview.findings))
    return Sent(delivery, Delivery.State.PLANNED)


def _checked(answer: Answer) -> tuple[Answer, _Way]:
    if not answer.key or len(answer.key) > KEY_CHARS_MAX:
        raise Invalid(
            f"{answer.key!r} cannot be an idempotency key", f"Give a text of 1 to {KEY_CHARS_MAX} characters."
        )
    if answer.is_own_post:
        if not answer.is_public or answer.in_reply_to:
            raise Invalid("a post of our own answers nobody", "Give it as an answer instead.")
        answer = replace(answer, to=f"{FIRM}:{answer.source}", was_asked=True)
    namespace, _colon, value = answer.to.partition(":")
    to = normal_identifier(namespace, value)
    if not IDENTIFIER_PATTERN.match(to):
        raise Invalid(f"{answer.to!r} is no identifier", "Write namespace:value.")
    way = _way(replace(answer, to=to))
    return replace(answer, to=to, venue=answer.venue or way.network), way


def _way(answer: Answer) -> _Way:
    namespace = answer.to.partition(":")[0]
    if answer.source in accounts.in_house() or answer.source == MAIL:
        return _Way(answer.source, "", answer.source, is_posted=False)
    try:
        source = listening.source(answer.source)
    except NotFound:
        if answer.source:
            raise
        ours = (name for name, one in accounts.in_house().items() if one.offered.namespace == namespace)
        channel = MAIL if namespace == "email" else next(ours, "")
        if not channel:
            raise Invalid(
                _("there is no way to answer %(who)s from here") % {"who": answer.to},
                _("It came from a file, or from a network that is not set up: add it under Networks."),
            ) from None
        return _Way(channel, "", channel, is_posted=False)
    if source.posts:
        channel = answer.channel or ("social" if answer.is_public else "direct")
        return _Way(channel, source.name, source.network, is_posted=True)
    if namespace == "email" and not answer.is_public:
        return _Way(MAIL, "", MAIL, is_posted=False)
    raise Invalid(f"{source.title} cannot be posted to from here", "Open the post and answer there.")


def _preview(answer: Answer, way: _Way) -> Preview:
    there = standing_at(answer.venue, own_page=answer.is_own_post) if answer.is_public else Standing()
    checked = venues.check(
        answer.venue,
        answer.text,
        language=answer.language,
        was_asked=answer.was_asked,
        is_public=answer.is_public,
        is_own_page=answer.is_own_post,
        at=answer.at,
        helpful=there.helpful,
        promoting=there.promoting,
        said_before=there.said_before,
    )
    needs = answer.is_public and way.is_posted and listening.source(way.source).asks_approval
    held = _stopped(answer) or _by_terms(answer, way) or _by_way(answer, way) or _by_pictures(answer, way)
    if not held and checked.forbidden:
        first = checked.forbidden[0]
        held = ("rule_card", first.message, first.hint)
    doubted = next((one for one in checked.findings if one.needs_second_look), None)
    if not held and doubted is not None and answer.is_public:
        needs = True
        held = _by_second_look(answer, doubted)
    if not held and needs:
        held = _by_approval(answer)
    reason, message, hint = held or ("", "", "")
    return Preview(checked.text, answer.venue, checked.ticks, needs, reason, message, hint)


def standing_at(venue: str, *, own_page: bool = False) -> Standing:
    """How we stand at a venue: answers that helped and that promoted, and our own texts of late.

    What we say on a page of our own is not weighed against what we answer elsewhere on its network.
    """
    since = clock.now() - WEIGHED
    left = Delivery.objects.filter(template=ANSWER, planned_at__gte=since, state__in=_COUNTED)
    ours = Q(identifier__startswith=f"{FIRM}:")
    left = left.filter(ours if own_page else ~ours)
    there = Reply.objects.filter(
        venue=venue, planned_at__gte=since, is_public=True, delivery__in=left.values("id")
    )
    counted = dict(there.values_list("promotes").annotate(n=Count("delivery")).order_by())
    texts = there.order_by("-planned_at").values_list("text", flat=True)[:REMEMBERED]
    return Standing(counted.get(False, 0), counted.get(True, 0), tuple(texts))


_COUNTED = (Delivery.State.PLANNED, Delivery.State.SENDING, Delivery.State.SENT, Delivery.State.UNKNOWN)
Held = tuple[str, str, str]  # reason, sentence, what to do


def _stopped(answer: Answer) -> Held | None:
    """Suppression as far as it concerns an answer; who objected is answered only if they spoke to us."""
    asked = PURPOSE if answer.was_asked else ""
    found = consent.suppressed([answer.to], "", asked)
    if answer.to not in found:
        return None
    return (
        f"suppressed_{found[answer.to]}",
        "this address or account is not to be written to",
        "See why on the person's page.",
    )


def _by_terms(answer: Answer, way: _Way) -> Held | None:
    if not way.is_posted:
        return None
    found = listening.may_answer(way.source, answer.was_asked)
    return ("terms", found.message, found.hint) if found.state == "bad" else None


def _by_way(answer: Answer, way: _Way) -> Held | None:
    if way.is_posted:
        return None
    namespace = accounts.namespace(way.channel)
    if namespace is None:
        return (
            "no_channel",
            _("the channel %(name)s is not set up") % {"name": way.channel},
            _("Whoever looks after the installation sets it up, mail under Messages."),
        )
    if answer.to.partition(":")[0] != namespace:
        return ("no_address", f"{answer.to} is no address of {way.channel}", "Answer where they wrote.")
    return None


def _by_pictures(answer: Answer, way: _Way) -> Held | None:
    """Whether the pictures can go along; only a post of our own may need one."""
    if not answer.pictures and not answer.is_own_post:
        return None
    if not way.is_posted:
        return ("pictures", "no pictures go along there", "Leave them out.")
    found = listening.about_pictures(way.source, [one.shape for one in answer.pictures], len(answer.text))
    against = next((one for one in found if one.state == "bad"), None)
    return ("pictures", against.message, against.hint) if against else None


def _by_second_look(answer: Answer, doubted: Finding) -> Held | None:
    """Whether somebody other than its writer let out what the card doubts."""
    if answer.approved_by and answer.approved_by.casefold() != answer.by.casefold():
        return None
    return (
        NEEDS_APPROVAL,
        doubted.message,
        "Say it more plainly, or ask a colleague who may approve answers: not even an approver lets this out alone.",
    )


def _by_approval(answer: Answer) -> Held | None:
    if not answer.approved_by:
        return (
            NEEDS_APPROVAL,
            "nothing public leaves by this source without somebody's approval",
            "Ask a colleague who may approve answers.",
        )
    approver = staff.staff_by_email(answer.approved_by)
    if approver is None or not approver.may(Right.APPROVE_ANSWERS):
        return (
            "not_approver",
            f"{answer.approved_by} may not approve answers",
            "Ask a colleague who may.",
        )
    return None


def _write(delivery: uuid.UUID, answer: Answer, way: _Way, preview: Preview) -> None:
    now = clock.now()
    withheld = bool(preview.reason)
    Delivery.objects.update_or_create(
        id=delivery,
        defaults={
            "key": answer.key,
            "identifier": answer.to,
            "purpose": PURPOSE,
            "channel": way.channel,
            "source": way.source,
            "template": ANSWER,
            "language": answer.language[:16] if way.is_posted else _written_in(answer.language),
            "is_service": answer.is_service,
            "state": Delivery.State.WITHHELD if withheld else Delivery.State.PLANNED,
            "reason": preview.reason[:48],
            "answer": preview.message if withheld else "",
            "planned_at": now,
            "next_try_at": None if withheld else now,
            "expires_at": answer.expires_at or now + WORTH,
            "ended_at": now if withheld else None,
            "is_told": not withheld,
        },
    )
    Reply.objects.update_or_create(
        delivery=delivery,
        defaults={
            "source": answer.source,
            "network": way.network or network_of(answer.venue),
            "venue": answer.venue,
            "conversation": answer.conversation,
            "in_reply_to": answer.in_reply_to,
            "thread": answer.thread,
            "subject_line": _subject_line(answer, way),
            "text": preview.text,
            "pictures": [one.row for one in answer.pictures],
            "is_public": answer.is_public,
            "was_asked": answer.was_asked,
            "promotes": answer.is_public and not answer.is_own_post and is_promoting(answer.text),
            "by": answer.by,
            "approved_by": answer.approved_by,
            "planned_at": now,
        },
    )


def _written_in(language: str) -> str:
    """The language of what stands around an answer in a letter: the answer's own where the screens speak it."""
    spoken = {code for code, _ in settings.LANGUAGES}
    firm = staff.organisation()
    wanted = (language.lower().partition("-")[0], firm.language if firm else "", "en")
    return next(code for code in wanted if code in spoken)


def _subject_line(answer: Answer, way: _Way) -> str:
    line = " ".join(answer.subject_line.split())
    if way.channel != MAIL or not line or not answer.in_reply_to:
        return line
    return line if line[:3].casefold() in {"re:", "aw:", "sv:"} else f"Re: {line}"


def waiting_of(conversations: Sequence[str]) -> dict[str, int]:
    """How many answers of each conversation wait or are under way."""
    rows = Reply.objects.filter(conversation__in=conversations).values_list("delivery", "conversation")
    waiting = set(
        Delivery.objects.filter(
            id__in=[delivery for delivery, _ in rows],
            state__in=(Delivery.State.PLANNED, Delivery.State.SENDING),
        ).values_list("id", flat=True)
    )
    found: dict[str, int] = {}
    for delivery, conversation in rows:
        if delivery in waiting:
            found[conversation] = found.get(conversation, 0) + 1
    return found
