"""What comes of proposals: outcomes that calibrate, wordings and entries for staff to take, questions left over."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from django.db import models, transaction
from django.db.models import F

from rapport.kit import clock
from rapport.knowledge.models import Entry, Heard, Learnt, Outcome, Unanswered, Wording
from rapport.knowledge.rules import asking, files, weighing
from rapport.knowledge.services import indexing
from rapport.knowledge.services.proposing import Proposals, propose

QUESTION_MAX = 2_000
OUTCOMES_MAX = 5_000  # the newest, that calibrate
NONE = "-"  # no entry answered
RESOLVED = "resolved"  # the source of an entry that an answer began


def note_unanswered(
    question: str,
    *,
    language: str = "",
    identifier: str = "",
    conversation: str = "",
    heard: Mapping[int, str] | None = None,
) -> int:
    """Keep a question that nothing answers, without what names somebody; asked again it counts. Gives its number.

    heard : the texts it was made of, by the numbers of their events, and whose each is: it goes when they go
    """
    text = asking.masked(question)[:QUESTION_MAX]
    digest = hashlib.sha256(asking.folded(text).encode()).hexdigest()
    now = clock.now()
    with transaction.atomic():
        row, made = Unanswered.objects.get_or_create(
            digest=digest,
            defaults={
                "question": text, "language": language, "identifier": identifier, "conversation": conversation,
                "first_at": now, "last_at": now,
            },
        )  # fmt: skip
        if made:
            _made_of(heard, unanswered=row)
        if not made and row.conversation == conversation and conversation:
            return row.pk  # looked at again
        if not made:
            Unanswered.objects.filter(pk=row.pk).update(
                n=F("n") + 1, last_at=now, closed_at=None, closed_by=""
            )
    return row.pk


def close_unanswered(number: int, *, by: str) -> None:
    """Take a question from the list: it was answered otherwise, or is none."""
    Unanswered.objects.filter(pk=number, closed_at__isnull=True).update(closed_at=clock.now(), closed_by=by)


def was_learnt_from(conversation: str) -> bool:
    """Whether an answer of this conversation is among the outcomes already."""
    return Outcome.objects.filter(conversation=conversation).exists()


def resolved(
    question: str,
    answer: str,
    keys: Sequence[str],
    by: str,
    *,
    language: str = "",
    identifier: str = "",
    conversation: str = "",
    heard: Mapping[int, str] | None = None,
) -> str:
    """Learn from a question that was answered: with `keys` what was proposed and used, else by the words of `answer`.

    What it adds waits for somebody of ours to take it: the question as a wording of the entry that answered, or
    a new entry as a draft. Gives the key of either; empty where there is nothing to add.

    heard : the texts the question was made of, by the numbers of their events, and whose each is
    """
    text = asking.masked(question)[:QUESTION_MAX]
    if not text:
        return ""
    said = propose(question, language=language)
    right = next((key for key in keys if key), NONE)
    now = clock.now()
    with transaction.atomic():
        outcome = Outcome.objects.create(
            question=text, language=language, identifier=identifier, conversation=conversation,
            proposed=_proposed(said), right=right, answered_by=by, shown_at=now, settled_at=now,
        )  # fmt: skip
        _made_of(heard, outcome=outcome)
        digest = hashlib.sha256(asking.folded(text).encode()).hexdigest()
        Unanswered.objects.filter(digest=digest, closed_at__isnull=True).update(closed_at=now, closed_by=by)
        entry = Entry.objects.filter(key=right).first()
        if entry is not None:
            if not Wording.objects.filter(entry=entry, text=text).exists():
                _made_of(heard, wording=_waiting(entry, text, language, identifier))
            return entry.key
        if right == NONE and answer.strip():
            return _draft(text, answer, language, identifier, by, heard)
    return ""


def _proposed(said: Proposals) -> list[list[object]]:
    return [[p.key, round(p.probability, 4)] for p in said.proposals]


def _made_of(heard: Mapping[int, str] | None, **kept: models.Model) -> None:
    Heard.objects.bulk_create(Heard(seq=seq, identifier=who, **kept) for seq, who in (heard or {}).items())


def _waiting(entry: Entry, text: str, language: str, identifier: str) -> Wording:
    return Wording.objects.create(
        entry=entry, language=language, text=text, origin="resolved", identifier=identifier, is_live=False,
        meaning=indexing.kept_vectors([text])[0],
    )  # fmt: skip


def _draft(
    text: str, answer: str, language: str, identifier: str, by: str, heard: Mapping[int, str] | None
) -> str:
    digest = hashlib.sha256(f"{text}\x1f{answer}".encode()).hexdigest()[:12]
    key = f"answered-{digest}"
    if Entry.objects.filter(key=key).exists():
        return key
    first = asking.masked(answer).strip()
    entry = Entry.objects.create(
        key=key, title=text[: files.TITLE_MAX], solutions={language or "en": first[: files.TEXT_MAX]},
        state=Entry.State.DRAFT, source=RESOLVED, owner=by, changed_at=clock.now(), changed_by=by,
    )  # fmt: skip
    _made_of(heard, wording=_waiting(entry, text, language, identifier))
    return key


def learn() -> weighing.Weights:
    """Learn anew how to find entries, from all wordings and from what came of earlier proposals."""
    held = indexing.held()
    pairs = [
        (float(probability), key == right)
        for proposed, right in Outcome.objects.filter(settled_at__isnull=False)
        .order_by("-id")
        .values_list("proposed", "right")[:OUTCOMES_MAX]
        for key, probability in proposed
    ]
    weights = weighing.learn(held.index, pairs) if held.index is not None else weighing.Weights()
    with transaction.atomic():
        Learnt.objects.all().delete()
        indexing.changed()
        Learnt.objects.create(content=weights.as_json(), mark=indexing.mark(), at=clock.now())
    return weights


def learn_if_due() -> bool:
    """Learn anew where what is known or what came of it has changed since; True where it was done."""
    row = Learnt.objects.order_by("-id").first()
    now = indexing.mark()
    n = Outcome.objects.filter(settled_at__isnull=False).count()
    if row is not None and row.mark == now and n <= row.content.get("n_seen", n):
        return False
    if row is None and not now:
        return False
    learn()
    Learnt.objects.update(content=_with_seen(n))
    return True


def _with_seen(n: int) -> dict[str, object]:
    row = Learnt.objects.order_by("-id").first()
    assert row is not None
    return {**row.content, "n_seen": n}
