"""What staff do at a live desk: answer once for all who ask the same, pin, hide, show a product with its price."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from rapport.kit import clock, money
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.listening import selectors as listening
from rapport.messaging import services as messaging
from rapport.publishing.models import Broadcast, Bunch, Comment
from rapport.publishing.selectors.desk import PRICE_FRESH
from rapport.staff import selectors as staff
from rapport.staff.rules import Right

TEXT_CHARS_MAX = 5_000
EACH_MAX = 100  # comments that one press answers one by one
WORTH = dt.timedelta(hours=2)  # an answer to what was asked live
APPROVAL = "needs_approval"
_FIGURE = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_ANSWERABLE = (Bunch.State.OPEN, Bunch.State.WAITING, Bunch.State.ANSWERED)


def answer(
    bunch: int,
    text: str,
    *,
    by: str,
    each: bool = False,
    n_known: int | None = None,
    known_words: str | None = None,
) -> Bunch:
    """Answer what a bunch of comments asks: once, under the first of them, or to each that has no answer yet.

    Raises Conflict where a colleague answered it in the meantime. What may not leave stays open, with why.
    n_known : answers to it that the writer has seen
    known_words : those of the last answer that the writer has seen, also of one that waits or did not leave
    """
    words = text.strip()
    if not words or len(words) > TEXT_CHARS_MAX:
        raise Invalid(_("the answer is empty or too long"), _("Write a few words."))
    with transaction.atomic():
        row = _held(bunch)
        answered = Comment.objects.filter(bunch=row, is_answered=True).count()
        is_other = known_words is not None and row.answer.split() not in (known_words.split(), words.split())
        if row.state not in _ANSWERABLE or is_other or (n_known is not None and n_known != answered):
            raise Conflict(
                _("a colleague dealt with this in the meantime"), _("Read the answer that it has.")
            )
        left = Comment.objects.filter(bunch=row, is_answered=False).order_by("id")
        chosen = list(left[: EACH_MAX if each else 1])
        if not chosen:
            raise Conflict(_("all of them have an answer"), _("Nothing is left to do here."))
        withheld = ""
        waits = False
        for comment in chosen:
            outcome = messaging.reply(_answer_to(comment, row, words, by))
            if isinstance(outcome, messaging.Withheld):
                withheld = outcome.message
                waits = waits or outcome.reason == APPROVAL
            else:
                comment.is_answered = True
        Comment.objects.filter(id__in=[c.pk for c in chosen if c.is_answered]).update(is_answered=True)
        if not (waits and row.state == Bunch.State.WAITING and row.answer == words):
            row.answered_by = by
        row.answer, row.is_each, row.withheld = words, each, withheld
        row.answered_at = clock.now()
        if any(c.is_answered for c in chosen):
            row.state = Bunch.State.ANSWERED
            row.n_since = left.count() if each else 0
        elif waits:
            row.state = Bunch.State.WAITING
        return _kept(row)


def _answer_to(comment: Comment, row: Bunch, text: str, by: str) -> messaging.Answer:
    approver = staff.staff_by_email(by)
    may = approver is not None and approver.may(Right.APPROVE_ANSWERS)
    # Who lets out the words that wait has not become their writer.
    waits = row.state == Bunch.State.WAITING and row.answer == text
    return messaging.Answer(
        source=comment.source,
        to=comment.identifier,
        text=text,
        key=f"live:{row.pk}:{comment.seq}",
        in_reply_to=comment.post_id,
        thread=comment.thread or comment.post_id,
        venue=comment.venue or comment.network,
        language=row.language,
        by=row.answered_by if waits else by,
        approved_by=by if may else "",
        is_public=comment.is_public,
        was_asked=True,  # who comments on what we broadcast speaks to us
        expires_at=clock.now() + WORTH,
    )


def hide(bunch: int) -> Bunch:
    """Take a bunch off the desk; nothing happens to it on its network."""
    with transaction.atomic():
        row = _held(bunch)
        row.state, row.is_pinned = Bunch.State.HIDDEN, False
        return _kept(row)


def show(bunch: int) -> Bunch:
    """Bring a hidden bunch back, as answered as it was."""
    with transaction.atomic():
        row = _held(bunch)
        is_answered = Comment.objects.filter(bunch=row, is_answered=True).exists()
        row.state = Bunch.State.ANSWERED if is_answered else Bunch.State.OPEN
        return _kept(row)


def pin(bunch: int, *, is_pinned: bool = True) -> Bunch:
    """Keep a bunch at the head of the desk, or let it go back to its place."""
    with transaction.atomic():
        row = _held(bunch)
        row.is_pinned = is_pinned
        return _kept(row)


def pin_product(
    broadcast: uuid.UUID, *, title: str, price_minor: int | None, currency: str, url: str, by: str
) -> None:
    """Say which product is shown now, what it costs and where it is; the price is as old as this."""
    if not title.strip():
        raise Invalid(_("the product has no name"), _("Say what is shown."))
    if price_minor is not None and (price_minor < 0 or not currency):
        raise Invalid(_("the price makes no sense"), _("Write an amount and its currency."))
    if url and not url.startswith("https://"):
        raise Invalid(_("the link is no address"), _("It begins with https://."))
    with transaction.atomic():
        row = _live(broadcast)
        row.product, row.price_minor, row.currency = title.strip()[:160], price_minor, currency[:3].upper()
        row.url, row.pinned_at, row.pinned_by = url.strip(), clock.now(), by
        row.token += 1
        row.save()


def unpin_product(broadcast: uuid.UUID) -> None:
    """Say that no product is shown any more."""
    with transaction.atomic():
        row = _live(broadcast)
        row.product, row.price_minor, row.currency, row.url, row.pinned_at, row.pinned_by = (
            "",
            None,
            "",
            "",
            None,
            "",
        )
        row.token += 1
        row.save()


def say_product(broadcast: uuid.UUID, text: str, *, by: str) -> list[messaging.Sent | messaging.Withheld]:
    """Say on the page of each source of a broadcast which product is shown; the same words leave once."""
    row = _live(broadcast)
    words = text.strip()
    if not row.product or not words:
        raise Invalid(_("no product is pinned"), _("Pin one first."))
    _refuse_old_price(row, words)
    approver = staff.staff_by_email(by)
    may = (
        approver is not None
        and approver.may(Right.APPROVE_ANSWERS)
        and approver.may(Right.APPROVE_PUBLISHING)
    )
    said = hashlib.sha256(words.encode()).hexdigest()[:16]
    found: list[messaging.Sent | messaging.Withheld] = []
    for name in row.sources:
        view = listening.source(name)
        if view.posts:
            found.append(
                messaging.reply(
                    messaging.Answer(
                        source=name, to="", text=words, key=f"live:{row.pk.hex}:{name}:{said}", venue=view.network,
                        by=by, approved_by=by if may else "", is_own_post=True, expires_at=clock.now() + WORTH,
                    )
                )
            )  # fmt: skip
    if not found:
        raise Invalid(_("none of its sources can be posted to from here"), _("Say it there by hand."))
    return found


def _refuse_old_price(row: Broadcast, words: str) -> None:
    """Raise Invalid where a text says the price of the product, and nobody has looked at it for a day."""
    if row.price_minor is None or row.pinned_at is None or clock.now() - row.pinned_at <= PRICE_FRESH:
        return
    amount = money.Money(row.price_minor, row.currency).amount
    if amount in {Decimal(said.replace(",", ".")) for said in _FIGURE.findall(words)}:
        raise Invalid(
            _("the price %(price)s was pinned more than a day ago") % {"price": amount},
            _("Look at it again and pin it anew, or leave it out."),
        )


def _held(bunch: int) -> Bunch:
    row = Bunch.objects.select_for_update().select_related("broadcast").filter(pk=bunch).first()
    if row is None:
        raise NotFound(_("these comments were taken back"), _("They are gone from the desk too."))
    return row


def _live(broadcast: uuid.UUID) -> Broadcast:
    row = Broadcast.objects.select_for_update().filter(pk=broadcast).first()
    if row is None:
        raise NotFound(f"there is no broadcast {broadcast}", "Load the list again.")
    return row


def _kept(row: Bunch) -> Bunch:
    live = _live(row.broadcast_id)
    live.token += 1
    live.save(update_fields=["token"])
    row.token = live.token
    row.save()
    return row
