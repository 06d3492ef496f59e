"""Answers on their way out: written here first, then handed to messaging, which checks, approves and sends them.

A message is kept before anything leaves, and its number is the key that messaging knows it by: whoever is
killed in between hands the same one over again, and it leaves once.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rapport.conversations.models import Approval, Conversation, Draft, Message, Reception
from rapport.conversations.selectors import reading
from rapport.conversations.services import summing, telling
from rapport.conversations.services.outcomes import Outcome
from rapport.conversations.services.working import held, note_done, words
from rapport.events.rules import reachable
from rapport.kit import clock, ids
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.listening import selectors as listening
from rapport.messaging import selectors as deliveries
from rapport.messaging import services as messaging
from rapport.staff import selectors as staff
from rapport.staff.rules import Right

KEY = "answer:"  # begins the name of an answer that messaging has not taken yet
APPROVAL = "needs_approval"  # messaging's reason for what waits for somebody who may let it out
AGAIN_AFTER = dt.timedelta(
    seconds=60
)  # an answer that was kept and not handed over in this time: somebody was killed
ENDED = {
    "sent": "sent",
    "unknown": "unknown",
    "withheld": "withheld",
    "failed": "failed",
    "bounced": "failed",
}
FOLLOWED_MAX = 500
IN_HOUSE = ("chat", "email")  # channels that answers leave by without a source


def answer(
    number: uuid.UUID,
    text: str,
    *,
    by: int,
    version: int,
    language: str = "",
    playbook: str = "",
    to_message: int | None = None,
) -> Outcome:
    """Answer in a conversation, where it was written. Raises Moved where it is not what `version` says, Denied.

    to_message : the message that this answers; without it the newest of theirs that nobody answered
    Nothing public leaves without approval unless the firm says otherwise for that source; who may approve,
    approves by sending. What is refused comes back as a state and a reason, and the words are kept.
    """
    text = words(text)
    who = staff.staff_by_id(by)
    if not who.may(Right.ANSWER):
        raise Denied(
            _("%(name)s may not answer") % {"name": who.name or who.email}, _("Ask an owner for the right.")
        )
    with held(number, version) as one:
        to = _answered(one, to_message)
        refuse_silent(one, to)
        made = Message.objects.create(
            conversation=one,
            origin=to.origin,
            ts=clock.now(),
            direction=Message.Direction.OUT,
            identifier=to.identifier,
            subject=to.subject,
            by=by,
            author_name=who.name or who.email,
            text=text,
            language=(language or one.language)[:16],
            network=to.network,
            source=to.source,
            venue=to.venue,
            in_reply_to=to.post_id,
            thread=to.thread,
            event_name=_said_as(to),
            delivery=f"{KEY}{ids.uuid7().hex}",
            state="planned",
            playbook=playbook[:32],
        )
        Draft.objects.filter(conversation=one, staff=by).delete()
        one.failure = ""
        one.assignee = one.assignee or by
        one.save(update_fields=["failure", "assignee"])
        note_done(one, by, "answered", version=one.version + 1)
        told = summing.bring_up([number])
    telling.tell(told)
    return hand_over(made.id, approved_by=who.email if who.may(Right.APPROVE_ANSWERS) else "")


def refuse_silent(one: Conversation, to: Message) -> None:
    """Raise Denied where our own replies have made things worse in this place, and the firm keeps quiet there."""
    if to.event_name not in reading.IN_PUBLIC:
        return
    venue = to.venue or one.venue
    silent = Reception.objects.filter(scope="venue", name=venue, is_silent=True).first()
    if silent is not None:
        raise Denied(
            _("we are silent at %(venue)s: our replies there did more harm than good") % {"venue": venue},
            _("Look at what they did under Rule cards; whoever may change venues can lift the silence."),
        )


def _answered(one: Conversation, to_message: int | None) -> Message:
    found = reading.to_answer(one.id, to_message)
    if found is None:
        raise NotFound(
            _("there is nobody to answer here"), _("What they said was deleted, or it never came from them.")
        )
    if found.event_name in reading.IN_PUBLIC and not reading.is_public_now(one.id):
        raise Denied(
            _("they wrote to us alone last, and this answer could be read by everybody"),
            _("Answer what they wrote last, or take the joining of the two conversations back."),
        )
    return found


def _said_as(to: Message) -> str:
    """What our answer will be in the log: public where what it answers was, else to them alone."""
    return "reply_published" if to.event_name in reading.IN_PUBLIC else "message_sent"


def hand_over(message: int, *, approved_by: str = "") -> Outcome:
    """Give a kept answer to messaging; done again after a crash, it is the same answer."""
    mine = Message.objects.select_related("conversation").get(pk=message)
    one = mine.conversation
    subject_line = (
        Message.objects.filter(conversation=one).exclude(topic="").values_list("topic", flat=True).first()
    )
    try:
        given = messaging.reply(_answer(mine, subject_line or "", approved_by))
    except (Invalid, NotFound, Denied) as refused:
        with transaction.atomic():
            mine.state, mine.reason = "withheld", f"{refused.message}. {refused.hint}"[:300]
            mine.save(update_fields=["state", "reason"])
            _after(mine)
        return _outcome(mine)
    with transaction.atomic():
        mine = Message.objects.select_for_update().get(pk=message)
        if mine.seq is not None:  # the log was quicker
            return _outcome(mine)
        if isinstance(given, messaging.Withheld) and given.reason == APPROVAL:
            doubted = next((one for one in given.findings if one.needs_second_look), None)
            mine.state, mine.reason = "waiting", doubted.message[:300] if doubted else ""
            mine.save(update_fields=["state", "reason"])
            Approval.objects.get_or_create(
                message=mine,
                defaults={
                    "conversation_id": mine.conversation_id,
                    "asked_by": mine.by or 0,
                    "asked_at": clock.now(),
                },
            )
            _pending(mine.conversation_id)
            return _outcome(mine)
        mine.delivery = given.delivery.hex
        if isinstance(given, messaging.Withheld):
            why = ". ".join(part.rstrip(".") for part in (given.message or given.reason, given.hint) if part)
            mine.state, mine.reason = "withheld", why[:300]
        else:
            mine.state, mine.reason = ENDED.get(str(given.state), "planned"), ""
        mine.save(update_fields=["delivery", "state", "reason"])
        _after(mine)
    return _outcome(mine)


def _answer(mine: Message, subject_line: str, approved_by: str) -> messaging.Answer:
    return messaging.Answer(
        source=_way(mine),
        to=reachable(mine.identifier),
        text=mine.text,
        key=f"{KEY}{mine.id}",
        conversation=mine.conversation_id.hex,
        in_reply_to=mine.in_reply_to,
        thread=mine.thread,
        venue=mine.venue,
        language=mine.language,
        subject_line=subject_line,
        by=_address(mine.by),
        is_public=mine.event_name == "reply_published",
        approved_by=approved_by,
        was_asked=_was_asked(mine),
    )


def _way(mine: Message) -> str:
    """The source that the words came by, where it is one that is still set up or a channel; else whatever fits."""
    if mine.source in IN_HOUSE or any(row.name == mine.source for row in listening.sources()):
        return mine.source
    return ""


def approve(message: int, *, by: int) -> Outcome:
    """Let an answer out that waits for it. Raises Denied, NotFound, Conflict where somebody else decided.

    What the rule card doubts is let out by somebody other than its writer.
    """
    who = _approver(by)
    with transaction.atomic():
        asked = _asked(message)
        _refuse_own_doubted(Message.objects.get(pk=message), by)
        asked.state, asked.decided_by, asked.decided_at = Approval.State.APPROVED, by, clock.now()
        asked.save(update_fields=["state", "decided_by", "decided_at"])
        mine = Message.objects.get(pk=message)
        mine.state = "planned"
        mine.save(update_fields=["state"])
        note_done(asked.conversation, by, "approved", message=message)
        summing.bring_up([mine.conversation_id])
    return hand_over(message, approved_by=who)


def _refuse_own_doubted(mine: Message, by: int) -> None:
    """Raise Denied where the rule card doubts an answer and its own writer would let it out."""
    if mine.by != by:
        return
    try:
        found = messaging.preview_reply(_answer(mine, "", _address(by)))
    except (Invalid, NotFound, Denied):  # it cannot leave at all, which handing it over says
        return
    if found.reason == APPROVAL:
        raise Denied(_("you wrote this yourself, and it needs a second look"), found.message)


def refuse(message: int, reason: str, *, by: int) -> None:
    """Do not let an answer out, and say why; the conversation is open again, and the words are a draft once more."""
    _approver(by)
    with transaction.atomic():
        asked = _asked(message)
        asked.state, asked.decided_by, asked.decided_at = Approval.State.REFUSED, by, clock.now()
        asked.reason = reason.strip()[:300]
        asked.save(update_fields=["state", "decided_by", "decided_at", "reason"])
        mine = Message.objects.get(pk=message)
        mine.state, mine.reason = "refused", asked.reason
        mine.save(update_fields=["state", "reason"])
        note_done(asked.conversation, by, "refused", message=message)
        _back(mine, asked.reason)


def ask_approval(number: uuid.UUID, text: str, *, by: int, version: int, **how: Any) -> Outcome:
    """Write an answer that somebody else is to look at before it leaves, whoever writes it."""
    text = words(text)
    who = staff.staff_by_id(by)
    with held(number, version) as one:
        to = _answered(one, how.get("to_message"))
        made = Message.objects.create(
            conversation=one, origin=to.origin, ts=clock.now(), direction=Message.Direction.OUT,
            identifier=to.identifier, subject=to.subject, by=by, author_name=who.name or who.email, text=text,
            language=(how.get("language") or one.language)[:16], network=to.network, source=to.source,
            venue=to.venue, in_reply_to=to.post_id, thread=to.thread, event_name=_said_as(to),
            delivery=f"{KEY}{ids.uuid7().hex}", state="waiting", playbook=str(how.get("playbook", ""))[:32],
        )  # fmt: skip
        Approval.objects.create(conversation=one, message=made, asked_by=by, asked_at=clock.now())
        Draft.objects.filter(conversation=one, staff=by).delete()
        note_done(one, by, "asked_approval", message=made.id, version=one.version + 1)
        summing.bring_up([number])
        _pending(number)
    return _outcome(made)


def follow_deliveries(number: uuid.UUID | None = None) -> int:
    """Note how far our answers got; hand over again what was kept and never handed over. Gives how many changed."""
    waiting = Message.objects.filter(direction=Message.Direction.OUT, state="planned")
    if number is not None:
        waiting = waiting.filter(conversation=number)
    n = 0
    for mine in waiting.order_by("id")[:FOLLOWED_MAX]:
        if (mine.delivery or "").startswith(KEY):
            if clock.now() - mine.ts >= AGAIN_AFTER:
                approved = Approval.objects.filter(message=mine, state=Approval.State.APPROVED).first()
                by = (approved.decided_by if approved else mine.by) or 0
                hand_over(mine.id, approved_by=_approves(by))
                n += 1
            continue
        try:
            view = deliveries.delivery(uuid.UUID(mine.delivery))
        except NotFound:
            with transaction.atomic():
                mine.state = "unknown"
                mine.reason = _("what was noted of its sending was erased")
                mine.save(update_fields=["state", "reason"])
                _after(mine)
            n += 1
            continue
        state = ENDED.get(view.state)
        if state is not None:
            with transaction.atomic():
                mine.state, mine.reason = state, (view.answer or view.reason)[:300] if state != "sent" else ""
                mine.save(update_fields=["state", "reason"])
                _after(mine)
            n += 1
    return n


def _after(mine: Message) -> None:
    if mine.state in ("withheld", "failed"):
        _back(mine, mine.reason)
    else:
        summing.bring_up([mine.conversation_id])


def _back(mine: Message, reason: str) -> None:
    """The conversation waits again, says why, and whoever wrote has their words back."""
    summing.bring_up([mine.conversation_id])
    one = Conversation.objects.get(pk=mine.conversation_id)
    one.failure, one.state = reason[:300] or mine.state, Conversation.State.OPEN
    summing.touch(one, ["failure", "state"])
    if mine.by is not None:
        Draft.objects.get_or_create(
            conversation=one,
            staff=mine.by,
            defaults={"text": mine.text, "version": one.version, "saved_at": clock.now()},
        )


def _pending(number: uuid.UUID) -> None:
    """Nobody has heard from us yet, so they still wait; but nothing more is to be done by who wrote."""
    summing.bring_up([number], bumps=False)
    one = Conversation.objects.get(pk=number)
    one.state = Conversation.State.PENDING
    summing.touch(one, ["state"])


def _asked(message: int) -> Approval:
    asked = (
        Approval.objects.select_for_update().select_related("conversation").filter(message=message).first()
    )
    if asked is None:
        raise NotFound(_("nothing waits for approval here"), _("Load the conversation again."))
    if asked.state != Approval.State.ASKED:
        raise Conflict(_("somebody has decided this already"), _("Load the conversation again."))
    return asked


def _approver(by: int) -> str:
    who = staff.staff_by_id(by)
    if not who.may(Right.APPROVE_ANSWERS):
        raise Denied(
            _("%(name)s may not approve answers") % {"name": who.name or who.email},
            _("Ask somebody who may."),
        )
    return str(who.email)


def _approves(by: int) -> str:
    try:
        who = staff.staff_by_id(by)
    except NotFound:
        return ""
    return str(who.email) if who.may(Right.APPROVE_ANSWERS) else ""


def _address(by: int | None) -> str:
    if by is None:
        return ""
    try:
        return str(staff.staff_by_id(by).email)
    except NotFound:
        return ""


def _was_asked(mine: Message) -> bool:
    """Whether what we answer was said to us, or answers us."""
    to = Message.objects.filter(conversation=mine.conversation_id, direction=Message.Direction.IN)
    to = to.filter(network=mine.network, post_id=mine.in_reply_to) if mine.in_reply_to else to
    return to.filter(why__in=("private", "asked_us", "answered_us", "review", "survey")).exists()


def _outcome(mine: Message) -> Outcome:
    version = Conversation.objects.values_list("version", flat=True).get(pk=mine.conversation_id)
    return Outcome(mine.conversation_id, mine.id, mine.state, mine.reason, version)
