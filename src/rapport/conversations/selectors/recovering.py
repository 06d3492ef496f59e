"""Recoveries and what they did, voice drafts, and how our public replies were received."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from rapport.conversations.models import Playbook, PlaybookStep, Reception, VoiceDraft
from rapport.conversations.rules import receiving
from rapport.conversations.selectors.rows import PlaybookView, StepView, VoiceView
from rapport.kit import clock

LISTED_MAX = 100


@dataclass(frozen=True, slots=True)
class ReceptionView:
    """What our public replies did in a venue, or through a playbook."""

    scope: str
    name: str
    figures: receiving.Received
    reckoned_at: dt.datetime
    is_silent: bool
    silent_since: dt.datetime | None


def playbooks(number: uuid.UUID) -> list[PlaybookView]:
    """The recoveries of one conversation, the newest first; of each, overdue steps first among those to do."""
    return _views(list(Playbook.objects.filter(conversation=number).order_by("-begun_at")))


def playbooks_running(limit: int = LISTED_MAX) -> list[PlaybookView]:
    """Recoveries under way, whose next step is due first."""
    steps = PlaybookStep.objects.filter(done_at=None, playbook__state="running").order_by("due_at")
    numbers = list(dict.fromkeys(steps.values_list("playbook", flat=True)[: limit * 4]))[:limit]
    found = Playbook.objects.in_bulk(numbers)
    return _views([found[n] for n in numbers])


def n_steps_overdue() -> int:
    """Steps of recoveries whose moment is over."""
    return PlaybookStep.objects.filter(
        done_at=None, due_at__lt=clock.now(), playbook__state="running"
    ).count()


def _views(found: list[Playbook]) -> list[PlaybookView]:
    now = clock.now()
    by_book: dict[int, list[StepView]] = {p.id: [] for p in found}
    rows = PlaybookStep.objects.filter(playbook__in=list(by_book)).order_by("position")
    for s in rows:
        late = s.done_at is None and s.due_at < now
        by_book[s.playbook_id].append(
            StepView(s.position, s.code, s.due_at, s.done_at, s.done_by, s.note, late)
        )
    return [
        PlaybookView(
            p.id, p.conversation_id, p.kind, p.state, p.begun_at,
            tuple(sorted(by_book[p.id], key=lambda s: (s.done_at is not None, s.due_at, s.position))),
            p.outcome, p.stance_before, p.stance_after, p.ordered_30, p.ordered_90,
        )
        for p in found
    ]  # fmt: skip


def reception(scope: str = "venue") -> list[ReceptionView]:
    """What replies did, silent places first, then by how many stand behind the figure."""
    rows = [_reception(row) for row in Reception.objects.filter(scope=scope)]
    return sorted(rows, key=lambda r: (not r.is_silent, -r.figures.n_answered, r.name))


def reception_of(venue: str) -> ReceptionView | None:
    """What replies did in one venue; None where nothing was reckoned."""
    row = Reception.objects.filter(scope="venue", name=venue).first()
    return _reception(row) if row else None


def _reception(row: Reception) -> ReceptionView:
    figures = receiving.Received.from_json(row.figures)
    return ReceptionView(row.scope, row.name, figures, row.reckoned_at, row.is_silent, row.silent_since)


def voice_drafts(
    state: str = "draft", department: str = "", limit: int = LISTED_MAX, *, begin: int = 0
) -> list[VoiceView]:
    """Drafts of voice cases, the first due first, from the one with the number `begin` on."""
    found = VoiceDraft.objects.filter(state=state)
    if department:
        found = found.filter(department=department)
    return [_voice(v) for v in found.order_by("due_on", "made_at", "id")[begin : begin + limit]]


def voice(number: uuid.UUID) -> VoiceView | None:
    """One draft of a voice case."""
    found = VoiceDraft.objects.filter(pk=number).first()
    return _voice(found) if found else None


def _voice(v: VoiceDraft) -> VoiceView:
    return VoiceView(
        v.id, v.conversation_id, v.department, v.title, tuple(v.quotes), v.aspect, v.reason, v.due_on, v.state,
        v.made_by, v.made_at,
    )  # fmt: skip
