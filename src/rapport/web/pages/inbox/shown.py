"""A conversation and its list as the screen shows them, in the reader's words."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rapport.conversations import selectors
from rapport.conversations.rules import ready
from rapport.conversations.rules import views as rules
from rapport.conversations.selectors import rows
from rapport.events.rules import UNCONFIRMED
from rapport.insights import selectors as insights
from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.listening import selectors as listening
from rapport.onsite.chat import rules as chat_rules
from rapport.onsite.chat import selectors as chatting
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web.access import may
from rapport.web.components import formats, inboxing, sending, spokenwords, words
from rapport.web.errors import sentence
from rapport.web.pages.inbox import playing

READ = ("language", "sentiment", "intent")  # what models say of a conversation and staff may correct
PRIORITIES = (
    ("urgent", gettext_lazy("Before everything else")),
    ("high", gettext_lazy("High")),
    ("normal", gettext_lazy("As it is reckoned")),
    ("low", gettext_lazy("Low")),
)
OVER = ("resolved", "merged")
ALWAYS = ("open", "mine", "nobodys")  # views that are in sight though nothing is in them
MAIN = "open"  # the view that opens where none is asked for


@dataclass(frozen=True, slots=True)
class ViewShown:
    title: str
    url: str
    count: str
    is_here: bool
    is_first: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class RowShown:
    """One line of the list."""

    id: uuid.UUID
    url: str
    who: str
    at: dt.datetime
    title: str
    preview: str
    place: str
    state_said: str
    waits: str
    is_overdue: bool
    sentiment: str
    tone: str
    failure: str
    assignee: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class MessageShown:
    """One message, note or answer."""

    row: rows.MessageView
    who: str
    is_deleted: bool
    is_sought: bool
    state_said: str
    tone: str
    reason: str
    sentiment: str
    delivery_url: str
    approval: int  # its number, where it waits
    can_split: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read in their words, and what it may be called instead."""

    name: str
    title: str
    now: str
    text: str
    choices: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence at the head of a conversation."""

    text: str
    tone: str = ""
    url: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    row: rows.StepView
    title: str
    by: str
    needs_note: bool


@dataclass(frozen=True, slots=True)
class Recovery:
    row: rows.PlaybookView
    title: str
    steps: list[Step]
    ended: str  # how it ended; empty while it runs


@dataclass(frozen=True, slots=True)
class Other:
    id: uuid.UUID
    title: str


@dataclass(slots=True)
class Moved:
    """That somebody else was quicker: what they said and did since."""

    message: str
    hint: str
    said: list[MessageShown]
    done: list[str]


@dataclass(slots=True)
class Open:
    """One conversation, as its pane shows it."""

    head: rows.ConversationView
    url: str
    who: str
    place: str
    state_said: str
    waits: str
    because: str
    language: str
    lines: list[Told]
    messages: list[MessageShown]
    before_url: str
    last_id: int
    is_over: bool
    is_mine: bool
    assignee: str
    colleagues: list[tuple[int, str]]
    colleague_names: str
    watching: str
    watched: str
    readings: list[Reading]
    recoveries: list[Recovery]
    playbooks: list[tuple[str, Any]]
    macros: list[rows.MacroView]
    canned: list[rows.CannedView]
    others: list[Other]
    merged_from: list[Other]
    can_answer: bool
    can_approve: bool
    needs_approval: bool
    send_label: str
    answer_label: str
    goes_to: str
    check_url: str
    draft: str = ""
    saved_no: int = 0
    moved: Moved | None = None
    other_draft: str = ""
    proposal_keys: str = ""
    notes: list[str] = field(default_factory=list)  # of the draft that was put in just now
    check: str = ""
    check_values: str = ""
    outcomes: list[tuple[str, Any]] = field(default_factory=list)
    snoozes: list[tuple[str, str, dt.datetime]] = field(default_factory=list)
    priorities: Sequence[tuple[str, Any]] = PRIORITIES

    @property
    def can_resolve_with(self) -> bool:
        """Whether an answer may settle it in the same press: not while the answer waits for somebody."""
        return not self.needs_approval


def names() -> dict[int, str]:
    """Everybody of ours by number."""
    return {one.pk: one.name or one.email for one in staff.all_staff()}


def _answering() -> list[tuple[int, str]]:
    return [
        (one.pk, one.name or one.email)
        for one in staff.all_staff()
        if one.is_active and one.may(Right.ANSWER)
    ]


def address(view: str, number: uuid.UUID | None = None, **more: str | int) -> str:
    """Where a view, or a conversation within it, is."""
    base = reverse("inbox_one", args=[number]) if number else reverse("inbox")
    return f"{base}?{urlencode({'view': view, **more})}"


def who(author_name: str, identifier: str) -> str:
    """Somebody by the name they go by there, else by handle or address."""
    value = identifier.partition(":")[2]
    if identifier.startswith("anonymous:"):
        return author_name or _("a visitor")
    return author_name or value or _("somebody")


# The list


def views(reader: int, here: str) -> list[ViewShown]:
    """The views with how many wait in each."""
    counted = selectors.counts(reader)
    return [
        ViewShown(
            inboxing.view_title(row.key, row.name),
            address(row.key),
            _count(counted.get(row.key, 0)) if row.key != "resolved" else "",
            row.key == here,
            row.key in ALWAYS or (row.key in inboxing.FIRST_VIEWS and counted.get(row.key, 0) > 0),
            row.is_mine,
        )
        for row in selectors.views(reader)
    ]


def _count(n: int) -> str:
    if not n:
        return ""
    return f"{rules.COUNTED_MAX}+" if n > rules.COUNTED_MAX else str(n)


def lines(found: Sequence[rows.Row], view: str, here: uuid.UUID | None = None) -> list[RowShown]:
    """A page of the list."""
    staff_names = names()
    return [
        RowShown(
            id=row.id,
            url=address(view, row.id),
            who=who(row.author_name, row.identifier),
            at=row.last_ts,
            # A title that was made of the first words says nothing beside them.
            title="" if row.preview.startswith(row.title.rstrip("…").rstrip()) else row.title,
            preview=row.preview,
            place=inboxing.place(row.channel, row.network, row.venue),
            state_said="" if row.state == "open" else inboxing.state(row.state),
            waits=inboxing.waits(row.waiting_since) if row.state != "resolved" else "",
            is_overdue=row.is_overdue,
            sentiment=inboxing.said_of("sentiment", row.sentiment) if row.sentiment in inboxing.TONES else "",
            tone=inboxing.tone(row.sentiment),
            failure=row.failure,
            assignee=inboxing.colleague(staff_names, row.assignee),
            is_here=row.id == here,
        )
        for row in found
    ]


def nothing(view: str) -> tuple[str, str]:
    """What an empty view says, and what follows from it."""
    known: dict[str, tuple[str, str]] = {
        MAIN: (
            _("Nothing waits for an answer."),
            _("What people ask and complain about arrives here, from every source that is set up."),
        ),
        "mine": (_("Nothing is yours."), _("Take something from Open, or enjoy the quiet.")),
        "nobodys": (
            _("Everything has somebody."),
            _("What comes in new stands here until somebody takes it."),
        ),
        "overdue": (_("Nothing is overdue."), _("What waits longer than its target stands here.")),
        "approvals": (_("No answer waits for approval."), ""),
        "mentions": (_("Nobody has named you."), _("A note with your name after an @ leads here.")),
        "recoveries": (_("No step of a recovery is overdue."), ""),
    }
    return known.get(view, (_("Nothing is in this view."), _("Choose another view.")))


# One conversation


def opened(
    request: HttpRequest, number: uuid.UUID, view: str, *, before: str = "", sought: int = 0, down_to: int = 0
) -> Open:
    """Everything that the pane of one conversation shows; `down_to` a message that a reader has in sight already."""
    assert request.user.is_authenticated
    head = selectors.conversation(number)
    found = selectors.messages(number, before, down_to=sought or down_to)
    staff_names = names()
    me = request.user.pk
    can_answer = may(request, Right.ANSWER)
    can_approve = may(request, Right.APPROVE_ANSWERS)
    to = selectors.answering(number)
    needs = to is not None and to.is_public and _asks_approval(to.source)
    draft = selectors.draft(number, me) if can_answer else None
    watchers = selectors.watching(number, but=me)
    colleagues = _answering() if can_answer else []
    is_over = head.state in OVER
    return Open(
        head=head,
        url=address(view, number),
        who=who(head.author_name, head.identifier),
        place=inboxing.place(head.channel, head.network, head.venue),
        state_said=_state(head),
        waits=inboxing.waits(head.waiting_since) if not is_over else "",
        because=inboxing.because(head.because),
        language=head.language,
        lines=_lines(head, view),
        messages=_messages(number, found.rows, staff_names, sought),
        before_url=address(view, number, before=found.before) if found.before else "",
        last_id=max((m.id for m in found.rows), default=0),
        is_over=is_over,
        is_mine=head.assignee == me,
        assignee=inboxing.colleague(staff_names, head.assignee),
        colleagues=[one for one in colleagues if one[0] not in (me, head.assignee)],
        colleague_names=json.dumps([[name, _handle(name)] for pk, name in colleagues if pk != me]),
        watching=watching(watchers, staff_names),
        watched=signature(watchers),
        readings=_readings(head),
        recoveries=_recoveries(number, staff_names),
        playbooks=[(key, inboxing.PLAYBOOKS.get(key, key)) for key in playing.kinds()],
        macros=selectors.macros() if can_answer else [],
        canned=selectors.canned(limit=30) if can_answer else [],
        others=_others(head),
        merged_from=[Other(one, _title(one)) for one in head.merged_from],
        can_answer=can_answer,
        can_approve=can_approve,
        needs_approval=needs and not can_approve,
        send_label=_("Ask for approval") if needs and not can_approve else _("Send"),
        answer_label=_answer_label(head, is_public=to is not None and to.is_public),
        goes_to=_goes_to(head, to),
        check_url=reverse("inbox_check", args=[number]) if can_answer and not is_over else "",
        draft=draft.text if draft else "",
        saved_no=draft.saved_no if draft else 0,
        outcomes=list(inboxing.OUTCOMES.items()),
        snoozes=snoozes(),
    )


def _asks_approval(source: str) -> bool:
    try:
        return listening.source(source).asks_approval
    except NotFound:  # a way of our own, or one that is gone; messaging says what it thinks of it
        return False


def venue_of(head: rows.ConversationView) -> str:
    """The venue whose card holds for it."""
    return head.venue or head.network or head.channel


def _handle(name: str) -> str:
    """A colleague as a note names them: in one word."""
    return ready.handle(name)


def _state(head: rows.ConversationView) -> str:
    said = inboxing.state(head.state)
    if head.state == "resolved" and head.outcome:
        return f"{said}: {inboxing.outcome(head.outcome)}"
    return said


def _title(number: uuid.UUID) -> str:
    head = selectors.conversation(number)
    return head.title or who(head.author_name, head.identifier)


def _lines(head: rows.ConversationView, view: str) -> list[Told]:
    found = []
    if head.failure:
        found.append(Told(_("The last answer did not leave: %(why)s") % {"why": head.failure}, "danger"))
    if head.state == "snoozed" and head.snoozed_until:
        found.append(Told(_("Put off until %(at)s.") % {"at": formats.when_text(head.snoozed_until)}))
    if head.state == "resolved" and head.resolved_why:
        found.append(Told(sentence(head.resolved_why)))
    if head.merged_into:
        link = address(view, head.merged_into)
        found.append(Told(_("It was joined with another conversation."), "", link, _("Open that one")))
    if head.split_from:
        link = address(view, head.split_from)
        found.append(Told(_("It was taken out of another conversation."), "", link, _("Open that one")))
    if (why := chatting.unmailed(head.identifier)) == "limit":
        most = formats.number(chat_rules.MAILS_A_DAY)
        limited = _(
            "Not mailed: at most %(n)s mails a day go to one address. The answer waits in the window."
        )
        found.append(Told(limited % {"n": most}, "warn"))
    elif why:
        said = _("Not mailed: %(why)s. The answer waits in the window.")
        found.append(Told(said % {"why": sending.reason(why)}, "warn"))
    there = selectors.reception_of(head.venue) if head.is_public else None
    if there is not None and there.is_silent:
        quiet = _("We keep quiet here: our replies in this place did more harm than good.")
        found.append(Told(quiet, "danger"))
    return found


def _messages(
    number: uuid.UUID, found: Sequence[rows.MessageView], staff_names: Mapping[int, str], sought: int
) -> list[MessageShown]:
    waiting = {one.message: one.id for one in selectors.approvals(number) if one.state == "asked"}
    many = sum(m.direction == "in" for m in found) > 1
    shown = []
    for m in found:
        said, tone = inboxing.MESSAGE_STATES.get(m.state, ("", ""))
        if not said and m.direction == "in" and m.identifier.startswith(f"{UNCONFIRMED}:"):
            said, tone = _("sender not confirmed"), "warn"
        is_ours = m.direction != "in"
        author = inboxing.colleague(staff_names, m.by) if is_ours and m.by else ""
        shown.append(
            MessageShown(
                row=m,
                who=author or (_("We") if m.direction == "out" else who(m.author_name, m.identifier)),
                is_deleted=m.state == "deleted",
                is_sought=m.id == sought,
                state_said=str(said),
                tone=tone,
                reason=m.reason,
                sentiment=inboxing.said_of("sentiment", m.sentiment) if m.sentiment in inboxing.TONES else "",
                delivery_url="",
                approval=waiting.get(m.id, 0),
                can_split=many and m.direction == "in" and m.origin == number,
            )
        )
    return shown


def _readings(head: rows.ConversationView) -> list[Reading]:
    offered = insights.labels_offered()
    found = []
    for name in READ:
        now = getattr(head, name)
        labels = list(offered.get(name, ()))
        if name == "language" and not labels:
            labels = [code for code, _title in settings.LANGUAGES]
        labels += [now] if now and now not in labels else []
        said = inboxing.said_of(name, now) or _("unknown")
        found.append(
            Reading(
                name,
                spokenwords.title(name),
                now,
                f"{spokenwords.title(name)}: {said}",
                [(key, inboxing.said_of(name, key)) for key in labels],
            )
        )
    return found


def _recoveries(number: uuid.UUID, staff_names: Mapping[int, str]) -> list[Recovery]:
    return [
        Recovery(
            book,
            str(inboxing.PLAYBOOKS.get(book.kind, book.kind)),
            ended=playing.ended(book.outcome) if book.state != "running" else "",
            steps=[
                Step(
                    step,
                    playing.step_title(step.code),
                    inboxing.colleague(staff_names, step.done_by),
                    playing.needs_note(book.kind, step.position),
                )
                for step in book.steps
            ],
        )
        for book in sorted(selectors.playbooks(number), key=lambda one: one.state != "running")
    ]


def _others(head: rows.ConversationView) -> list[Other]:
    """What it may be joined with: other matters of the same person that are not settled."""
    if head.state in OVER:
        return []
    return [
        Other(row.id, row.title or row.preview[:60])
        for row in selectors.earlier(head.id, 8)
        if row.state not in OVER
    ]


def _goes_to(head: rows.ConversationView, to: rows.AnswerTo | None) -> str:
    """Where an answer goes, in a conversation whose words came by several ways."""
    if to is None or (to.is_public == head.is_public and not head.merged_from):
        return ""
    said = {
        "who": who(to.author_name, to.identifier),
        "place": inboxing.place("", to.network, to.venue),
    }
    if to.is_public:
        return _("It goes to %(place)s, where everybody can read it.") % said
    return _("It goes to %(who)s alone, by %(place)s, because they wrote to us alone last.") % said


def _answer_label(head: rows.ConversationView, *, is_public: bool) -> str:
    if not head.language:
        return _("Answer everybody can read") if is_public else _("Answer")
    said = {"language": inboxing.language(head.language)}
    if is_public:
        return _("Answer everybody can read, in %(language)s") % said
    return _("Answer, in %(language)s") % said


def watching(watchers: Sequence[rows.Watcher], staff_names: Mapping[int, str]) -> str:
    """Who else has it open; who writes is said first."""
    writing = [inboxing.colleague(staff_names, w.staff) for w in watchers if w.is_writing]
    others = [inboxing.colleague(staff_names, w.staff) for w in watchers if not w.is_writing]
    said = []
    if writing:
        said.append(
            ngettext("%(who)s is writing an answer here.", "%(who)s are writing answers here.", len(writing))
            % {"who": ", ".join(writing)}
        )
    if others:
        said.append(
            ngettext("%(who)s looks at this too.", "%(who)s look at this too.", len(others))
            % {"who": ", ".join(others)}
        )
    return " ".join(said)


def signature(watchers: Sequence[rows.Watcher]) -> str:
    """Who watches and writes, as a word that changes when that does."""
    return ".".join(
        f"{w.staff}{'w' if w.is_writing else ''}" for w in sorted(watchers, key=lambda w: w.staff)
    )


def snoozes() -> list[tuple[str, str, dt.datetime]]:
    """Moments to put something off until, in the reader's own day."""
    now = timezone.localtime(clock.now())
    morning = now.replace(hour=8, minute=0, second=0, microsecond=0)
    to_monday = 7 - now.weekday()
    return [
        ("1h", _("In an hour"), now + dt.timedelta(hours=1)),
        ("3h", _("In three hours"), now + dt.timedelta(hours=3)),
        ("tomorrow", _("Tomorrow morning"), morning + dt.timedelta(days=1)),
        ("monday", _("Monday morning"), morning + dt.timedelta(days=to_monday)),
        ("week", _("In a week"), morning + dt.timedelta(days=7)),
    ]


def moment(text: str) -> dt.datetime | None:
    """A moment as a form gives it, in the reader's own zone; None where it is none."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def moved(error: Any, staff_names: Mapping[int, str]) -> Moved:
    """What came between, for whoever was not quick enough."""
    return Moved(
        sentence(error.message),
        sentence(error.hint),
        _messages(error.current.id, error.messages, staff_names, 0),
        [done(line, staff_names) for line in error.done],
    )


DONE: dict[str, Any] = {
    "assigned": gettext_lazy("gave it to somebody"),
    "snoozed": gettext_lazy("put it off"),
    "resolved": gettext_lazy("resolved it"),
    "reopened": gettext_lazy("opened it again"),
    "prioritised": gettext_lazy("set its priority"),
    "noted": gettext_lazy("wrote a note"),
    "corrected": gettext_lazy("said what the words mean"),
    "merged": gettext_lazy("joined another with it"),
    "unmerged": gettext_lazy("took another out again"),
    "split": gettext_lazy("made a matter of its own of a part"),
    "split_off": gettext_lazy("made it of a part of another"),
    "answered": gettext_lazy("answered"),
    "asked_approval": gettext_lazy("asked for approval"),
    "approved": gettext_lazy("approved an answer"),
    "refused": gettext_lazy("did not approve an answer"),
    "macro": gettext_lazy("did several steps at once"),
    "began_playbook": gettext_lazy("began to make it good"),
    "did_step": gettext_lazy("did a step of making it good"),
    "gave_up_playbook": gettext_lazy("ended making it good before its last step"),
    "voiced": gettext_lazy("drafted a voice case"),
    "unsplit": gettext_lazy("put back what was made a matter of its own"),
    "woke": gettext_lazy("its moment came"),
    "waits": gettext_lazy("said that it is their turn"),
    "mixed": gettext_lazy("joined public with private words"),
}


def done(line: rows.LogRow, staff_names: Mapping[int, str]) -> str:
    """One thing that was done, with who and when."""
    by = inboxing.colleague(staff_names, line.by) or _("by itself")
    did = str(DONE.get(line.did, words.plain(line.did)))
    if line.did == "assigned":
        to = line.detail.get("to")
        if isinstance(to, int):
            did = _("gave it to %(name)s") % {"name": inboxing.colleague(staff_names, to)}
        else:
            did = _("gave it back to all")
    return f"{formats.when_text(line.at)} · {by}: {did}"


def language_of(head: rows.ConversationView) -> str:
    """The language to answer in: theirs, else the reader's own."""
    return head.language or translation.get_language() or "en"
