"""Posts of our own: written, checked, approved, let out at their time, and what became of each on its network.

A row is written for every network before anything leaves, in the transaction that hands it to messaging; from
there on the one way out holds, with its pause, its look before it posts again, and its word when nobody can say.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rapport.kit import clock
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.knowledge import services as knowledge
from rapport.knowledge.rules.checking import DraftFinding
from rapport.listening import selectors as listening
from rapport.listening.contract import Finding
from rapport.listening.services import album
from rapport.listening.services.album import Kept
from rapport.messaging import selectors as deliveries
from rapport.messaging import services as messaging
from rapport.pacing import selectors as pacing
from rapport.publishing.models import Post, Posting
from rapport.publishing.rules.reading import Hurdle, hurdles
from rapport.publishing.services import keeping
from rapport.staff import selectors as staff
from rapport.staff.rules import Right

CHARS_MAX = 20_000
SOURCES_MAX = 20
PICTURES_MAX = 4
ALT_CHARS_MAX = 2_000
WORTH = dt.timedelta(
    hours=24
)  # a post that could not leave for so long after its time is looked at again first
TOO_LATE = "too_late"  # messaging says the same of what it kept for too long
STOPPING = frozenset({"stale_price", "wrong_price", "contradicts_fact"})  # of what a draft may not say
CHANGEABLE = (Post.State.DRAFT, Post.State.WAITING, Post.State.APPROVED, Post.State.PLANNED)
LET_OUT = (Post.State.APPROVED, Post.State.PLANNED)
GRACE = dt.timedelta(minutes=10)  # while somebody writes, the minute they chose may pass
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that somebody chose: the digest under which it is kept, and what it shows in words."""

    digest: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody wrote: the words, those that are others on one source, pictures, where they go, and when."""

    text: str
    sources: Sequence[str]
    texts: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    campaign: str = ""
    planned_at: dt.datetime | None = None
    pictures: Sequence[Shown] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A post as it would leave by one source, and everything that was found against it."""

    source: str
    title: str
    preview: messaging.Preview | None
    findings: tuple[DraftFinding, ...]
    hurdles: tuple[Hurdle, ...]
    stands_against: str = ""  # why it may not leave; empty where it may
    hint: str = ""  # what to do about it, where that is more than changing the words
    pictures: tuple[Finding, ...] = ()  # what is to say of them there

    @property
    def text(self) -> str:
        return self.preview.text if self.preview else ""


def write(written: Written, *, by: str, post: uuid.UUID | None = None, version: int | None = None) -> Post:
    """Keep a post. One that was approved has to be approved anew: who approved it read other words.

    Raises Conflict where somebody changed it since `version`, Invalid where it makes no sense.
    """
    with album.held():
        row, dropped = _write(_sensible(written), by=by, post=post, version=version)
        keeping.take_away(dropped)
    return row


def _write(
    kept: dict[str, Any], *, by: str, post: uuid.UUID | None, version: int | None
) -> tuple[Post, set[str]]:
    """The post, and the pictures that it does not show any more."""
    with transaction.atomic():
        if post is None:
            return Post.objects.create(author=by, **kept), set()
        row = _held(post)
        dropped = {one["digest"] for one in row.pictures} - {one["digest"] for one in kept["pictures"]}
        if version is not None and row.version != version:
            raise Conflict(
                _("somebody changed this post in the meantime"), _("Read it again, then change it.")
            )
        if row.state not in CHANGEABLE and row.state != Post.State.WITHDRAWN:
            raise Conflict(_("this post has left"), _("Change it where it was published, or write another."))
        if all(getattr(row, name) == value for name, value in kept.items()):
            return row, set()
        only_time = all(getattr(row, name) == value for name, value in kept.items() if name != "planned_at")
        for name, value in kept.items():
            setattr(row, name, value)
        row.version, row.changed_at = row.version + 1, clock.now()
        if row.state in LET_OUT and only_time:
            row.state = _approved(row)
        else:
            _unapprove(row)
        row.save()
        return row, dropped


def submit(post: uuid.UUID, *, by: str, asks_colleague: bool = False) -> Post:
    """Have a post approved; where every source may be posted to without, it needs nobody else.

    What is approved already stays so, and is held against the rules at its time once more. Raises Invalid where
    something stands against it, or its time has passed.
    asks_colleague : it waits for a colleague even where whoever submits it could let it out
    """
    with transaction.atomic():
        row = _held(post, *CHANGEABLE, Post.State.WITHDRAWN)
        if row.planned_at is not None and row.planned_at < clock.now() - GRACE:
            raise Invalid(_("its time has passed"), _("Set a time to come, or have it leave at once."))
        found = [one for one in checks(row) if one.stands_against]
        if found:
            hint = found[0].hint or _("Change it, then go on.")
            raise Invalid(f"{found[0].title}: {found[0].stands_against}", hint)
        asks = any(listening.source(name).asks_approval for name in row.sources)
        if asks_colleague or (row.state not in LET_OUT and asks and not _may_approve(by)):
            row.state, row.approver, row.approved_at = Post.State.WAITING, "", None
        elif row.state not in LET_OUT:
            row.approver, row.approved_at, row.sent_back = by if asks else "", clock.now(), ""
            row.state = _approved(row)
        row.changed_at = clock.now()
        row.save()
        return row


def back_to_draft(post: uuid.UUID) -> Post:
    """Have a post that waits or is approved not leave until somebody submits it again."""
    with transaction.atomic():
        row = _held(post, *CHANGEABLE, Post.State.WITHDRAWN)
        if row.state != Post.State.DRAFT:
            _unapprove(row)
            row.changed_at = clock.now()
            row.save()
        return row


def approve(post: uuid.UUID, *, by: str, version: int) -> Post:
    """Let a post leave at its time. Who approves has to have read this version of it."""
    if not _may_approve(by):
        raise Denied(_("you may not approve posts"), _("Ask a colleague who may."))
    with transaction.atomic():
        row = _held(post, Post.State.WAITING)
        if row.version != version:
            raise Conflict(
                _("somebody changed this post in the meantime"), _("Read it again, then approve it.")
            )
        found = [one for one in checks(row) if one.stands_against]
        if found:
            raise Invalid(f"{found[0].title}: {found[0].stands_against}", _("Send it back to its author."))
        row.approver, row.approved_at, row.sent_back = by, clock.now(), ""
        row.state, row.changed_at = _approved(row), clock.now()
        row.save()
        return row


def send_back(post: uuid.UUID, *, by: str, because: str) -> Post:
    """Give a post back to its author, with what is to change."""
    if not _may_approve(by):
        raise Denied(_("you may not approve posts"), _("Ask a colleague who may."))
    with transaction.atomic():
        row = _held(post, Post.State.WAITING)
        _unapprove(row)
        row.sent_back, row.changed_at = because.strip()[:2_000], clock.now()
        row.save()
        return row


def withdraw(post: uuid.UUID) -> Post:
    """Take a post back before it leaves; one that has left is taken back on its network."""
    with transaction.atomic():
        row = _held(post)
        if row.state not in CHANGEABLE:
            raise Conflict(_("this post has left"), _("Take it back where it was published."))
        _unapprove(row)
        row.state, row.changed_at = Post.State.WITHDRAWN, clock.now()
        row.save()
        return row


def discard(post: uuid.UUID) -> None:
    """Delete a post that never left, with its pictures where no other shows them."""
    with album.held():
        with transaction.atomic():
            row = _held(post)
            if row.state not in (Post.State.DRAFT, Post.State.WITHDRAWN):
                raise Conflict(
                    _("this post has left, or is about to"), _("Take it back first where it has not left.")
                )
            shown = {one["digest"] for one in row.pictures}
            row.delete()
        keeping.take_away(shown)


def checks(row: Post) -> list[Checked]:
    """A post held against each of its networks' rules, the facts, and those who read otherwise."""
    at = row.planned_at if row.planned_at and row.planned_at > clock.now() else None
    found = [
        check(name, _text_for(row, name), language=row.language, at=at, pictures=pictures_of(row))
        for name in row.sources
    ]
    if not found:
        nowhere = _("It goes nowhere yet.")
        return [Checked("", _("Networks"), None, (), (), nowhere)]
    return found


def pictures_of(row: Post) -> list[Kept]:
    """The pictures of a post, in their order."""
    return [Kept.of(one) for one in row.pictures]


def chosen(pictures: Sequence[Shown]) -> list[Kept]:
    """Pictures that somebody chose, as they are kept; NotFound where one is not kept any more."""
    return [replace(album.find(one.digest), alt=" ".join(one.alt.split())) for one in pictures]


def check(
    source: str,
    text: str,
    *,
    language: str = "",
    at: dt.datetime | None = None,
    pictures: Sequence[Kept] = (),
) -> Checked:
    """Some words and pictures as they would leave by a source."""
    try:
        view = listening.source(source)
    except NotFound as error:
        return Checked(source, source, None, (), (), error.message)
    if not text.strip():
        return Checked(source, view.title, None, (), (), _("There is nothing in it yet."))
    if not view.posts:
        return Checked(source, view.title, None, (), (), _("Nothing can be posted there from here."))
    # Who approves is asked elsewhere: here, whether the words may stand.
    preview = messaging.preview_reply(
        _answer(source, view.network, text, language, "check", at=at, pictures=pictures)
    )
    about = tuple(listening.about_pictures(source, [one.shape for one in pictures], len(text)))
    findings = tuple(knowledge.check_draft(text, language))
    against = hint = ""
    if preview.reason == "rule_card":  # a card is written in one language, and read in the reader's
        first = preview.findings[0]
        against, hint = (
            _(one).format(**first.values) if one else "" for one in (first.said, first.hint_said)
        )
    elif preview.reason not in ("", "needs_approval", "not_approver"):
        against, hint = preview.message, preview.hint
    elif stopping := [one for one in findings if one.code in STOPPING]:
        against = stopping[0].message or _("“%(words)s” is not what we know") % {"words": stopping[0].words}
    return Checked(source, view.title, preview, findings, tuple(hurdles(text)), against, hint, about)


def leave_due() -> int:
    """Hand to messaging what is due; gives how many posts. While everything is paused, nothing is handed over."""
    if pacing.pause_all() is not None:
        return 0
    n = 0
    due = Post.objects.filter(state=Post.State.PLANNED, planned_at__lte=clock.now()).order_by(
        "planned_at", "id"
    )
    for post in list(due.values_list("id", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            row = Post.objects.select_for_update().filter(pk=post, state=Post.State.PLANNED).first()
            if row is None:
                continue
            let_out = [at for at in (row.planned_at, row.approved_at) if at is not None]
            too_late = clock.now() - max(let_out) > WORTH
            for name in row.sources:
                posting, _is_new = Posting.objects.get_or_create(
                    of=row, source=name, defaults={"key": f"post:{row.pk.hex}:{name}"}
                )
                if too_late:
                    posting.state, posting.changed_at = Posting.State.WITHHELD, clock.now()
                    posting.answer = TOO_LATE
                    posting.save()
                else:
                    _hand_over(row, posting)
            row.state, row.changed_at = Post.State.LEAVING, clock.now()
            row.save(update_fields=["state", "changed_at"])
            n += 1
    return n


def follow_up() -> int:
    """Note what became of what left; gives how many posts ended."""
    ended = 0
    for row in list(Post.objects.filter(state=Post.State.LEAVING).order_by("planned_at")[:AT_ONCE]):
        with transaction.atomic():
            postings = list(Posting.objects.select_for_update().filter(of=row))
            fates = deliveries.deliveries_of([p.key for p in postings])
            for posting in postings:
                if posting.state == Posting.State.LEAVING and posting.key in fates:
                    _note(posting, fates[posting.key])
            states = {p.state for p in postings}
            if Posting.State.LEAVING in states:
                continue
            row.state = Post.State.PUBLISHED if states == {Posting.State.PUBLISHED} else Post.State.FAILED
            row.changed_at = clock.now()
            row.save(update_fields=["state", "changed_at"])
            ended += 1
    return ended


def try_again(post: uuid.UUID, source: str) -> Post:
    """Post once more what did not leave by a source. What may be there already is looked at by somebody first."""
    with transaction.atomic():
        row = _held(post, Post.State.FAILED)
        posting = _posting(row, source)
        if posting.state not in (Posting.State.FAILED, Posting.State.WITHHELD):
            raise Conflict(
                _("this is not known to have failed"), _("Look there first, and say what you see.")
            )
        _anew(row, posting)
        return row


def settle(post: uuid.UUID, source: str, *, is_there: bool) -> Post:
    """Say whether a post of which nobody could say is there; where it is not, it leaves once more."""
    with transaction.atomic():
        row = _held(post, Post.State.FAILED)
        posting = _posting(row, source)
        if posting.state != Posting.State.UNKNOWN:
            raise Conflict(_("what became of it is known"), _("Load the page again."))
        if is_there:
            posting.state, posting.answer, posting.changed_at = Posting.State.PUBLISHED, "", clock.now()
            posting.save()
            row.state = Post.State.LEAVING  # the next follow-up looks at all of them together
            row.save(update_fields=["state"])
        else:
            _anew(row, posting)
    follow_up()
    return Post.objects.get(pk=post)


def _anew(row: Post, posting: Posting) -> None:
    withheld = posting.state == Posting.State.WITHHELD
    if not withheld:  # messaging knows the old name as ended
        posting.tries += 1
        posting.key = f"post:{row.pk.hex}:{posting.source}:{posting.tries}"
    posting.state, posting.answer = Posting.State.LEAVING, ""
    _hand_over(row, posting, expires_at=clock.now() + WORTH)
    row.state, row.changed_at = Post.State.LEAVING, clock.now()
    row.save(update_fields=["state", "changed_at"])


def _hand_over(row: Post, posting: Posting, expires_at: dt.datetime | None = None) -> None:
    text, pictures = _text_for(row, posting.source), pictures_of(row)
    found = check(posting.source, text, language=row.language, pictures=pictures)
    if found.stands_against or found.preview is None:
        # Prices grow old and rules change between approval and leaving.
        posting.state, posting.answer = Posting.State.WITHHELD, found.stands_against
    else:
        view = listening.source(posting.source)
        expires = expires_at or max(row.planned_at or clock.now(), clock.now() - WORTH / 2) + WORTH
        outcome = messaging.reply(
            _answer(
                posting.source, view.network, text, row.language, posting.key,
                by=row.author, approved_by=row.approver, expires_at=expires, pictures=pictures,
            )
        )  # fmt: skip
        posting.network, posting.text = view.network, found.text
        if isinstance(outcome, messaging.Withheld):
            posting.state, posting.answer = Posting.State.WITHHELD, outcome.message
    posting.changed_at = clock.now()
    posting.save()


def _answer(
    source: str,
    network: str,
    text: str,
    language: str,
    key: str,
    *,
    by: str = "",
    approved_by: str = "",
    expires_at: dt.datetime | None = None,
    at: dt.datetime | None = None,
    pictures: Sequence[Kept] = (),
) -> messaging.Answer:
    return messaging.Answer(
        source=source, to="", text=text, key=key, venue=network, language=language, by=by,
        approved_by=approved_by, expires_at=expires_at, is_own_post=True, at=at, pictures=pictures,
    )  # fmt: skip


_FATES = {
    "sent": Posting.State.PUBLISHED,
    "unknown": Posting.State.UNKNOWN,
    "failed": Posting.State.FAILED,
    "withheld": Posting.State.WITHHELD,
}


def _note(posting: Posting, fate: deliveries.DeliveryView) -> None:
    state = _FATES.get(fate.state)
    if state is None:
        return
    posting.state, posting.changed_at = state, clock.now()
    posting.answer = "" if state == Posting.State.PUBLISHED else (fate.answer or fate.reason)
    if fate.answer_of is not None:
        posting.post_id, posting.url = fate.answer_of.post_id, fate.answer_of.url
    posting.save()


def _sensible(written: Written) -> dict[str, Any]:
    sources = list(dict.fromkeys(written.sources))
    if len(sources) > SOURCES_MAX:
        raise Invalid(f"{len(sources)} sources are too many", f"Choose {SOURCES_MAX} at most.")
    for name in sources:
        if not listening.source(name).posts:
            raise Invalid(f"{name} cannot be posted to from here", "Choose another source.")
    text = _plain(written.text)
    texts = {name: _plain(own) for name, own in written.texts.items() if name in sources and _plain(own)}
    if max(len(one) for one in (text, *texts.values())) > CHARS_MAX:
        raise Invalid(f"a post of more than {CHARS_MAX} characters is too long", "Shorten it.")
    if not text and not texts:
        raise Invalid(_("there is nothing in it yet"), _("Write what you want to say."))
    if written.planned_at is not None and written.planned_at.tzinfo is None:
        raise Invalid("the time has no zone", "Give it with its zone.")
    if len(written.pictures) > PICTURES_MAX:
        raise Invalid(
            _("a post takes %(n)d pictures at most") % {"n": PICTURES_MAX}, _("Take some of them away.")
        )
    if max((len(one.alt) for one in written.pictures), default=0) > ALT_CHARS_MAX:
        raise Invalid(
            _("an alternative text of more than %(n)d characters is too long") % {"n": ALT_CHARS_MAX},
            _("Say in a sentence or two what the picture shows."),
        )
    return {
        "text": text,
        "texts": texts,
        "pictures": [one.row for one in chosen(written.pictures)],
        "sources": sources,
        "language": written.language[:16],
        "campaign": written.campaign.strip()[:64],
        "planned_at": written.planned_at,
    }


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()  # PostgreSQL keeps no such character


def _held(post: uuid.UUID, *states: str) -> Post:
    row = Post.objects.select_for_update().filter(pk=post).first()
    if row is None:
        raise NotFound(f"there is no post {post}", "Load the calendar again.")
    if states and row.state not in states:
        raise Conflict(_("somebody moved this post on in the meantime"), _("Load the page again."))
    return row


def _posting(row: Post, source: str) -> Posting:
    posting = Posting.objects.select_for_update().filter(of=row, source=source).first()
    if posting is None:
        raise NotFound(f"this post does not go to {source}", "Load the page again.")
    return posting


def _unapprove(row: Post) -> None:
    row.state, row.approver, row.approved_at, row.sent_back = Post.State.DRAFT, "", None, ""


def _approved(row: Post) -> Post.State:
    return Post.State.PLANNED if row.planned_at is not None else Post.State.APPROVED


def _text_for(row: Post, source: str) -> str:
    return str(row.texts.get(source) or row.text)


def _may_approve(by: str) -> bool:
    found = staff.staff_by_email(by)
    return found is not None and found.may(Right.APPROVE_PUBLISHING) and found.may(Right.APPROVE_ANSWERS)
