"""Questions under a name: kept, shared, pinned, asked by themselves at night, with what they came to."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import uuid
import zoneinfo
from collections.abc import Callable, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from rapport.consent.erasers import Erasing
from rapport.explore import selectors
from rapport.explore.models import Kept, Saved
from rapport.explore.rules import answers, parsing
from rapport.explore.rules.question import Question, document
from rapport.explore.services import asking
from rapport.kit import clock, home, ids
from rapport.kit.errors import Conflict, Invalid, NotFound, RapportError
from rapport.staff.rules import Role

log = logging.getLogger(__name__)

HISTORY = 60  # answers kept of each saved question
NIGHT_HOUR = 3  # of the firm's day, when scheduled questions are asked
WEEKDAY = 0  # Monday
BY_ITSELF = "schedule"


def save(name: str, question: Question, *, by: str) -> uuid.UUID:
    """Keep a question under a name; gives its key. Raises Conflict where the name is taken."""
    now = clock.now()
    row = Saved(
        key=ids.uuid7(),
        name=_name(name),
        question=_text(question),
        created_by=by,
        created_at=now,
        changed_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise Conflict(f"there is a saved question {row.name!r} already", "Choose another name.") from None
    return row.key


def change(
    key: uuid.UUID,
    *,
    name: str | None = None,
    question: Question | None = None,
    shared: str | None = None,
    roles: Sequence[str] | None = None,
    schedule: str | None = None,
    is_pinned: bool | None = None,
) -> None:
    """Change what is given of a saved question; a changed question begins a new history."""
    with transaction.atomic():
        row = Saved.objects.select_for_update().filter(key=key).first()
        if row is None:
            raise NotFound("there is no such saved question", "It may have been removed.")
        if name is not None:
            row.name = _name(name)
        if question is not None and _text(question) != row.question:
            row.question = _text(question)
            Kept.objects.filter(saved=row).delete()
        if shared is not None:
            row.shared = _one_of(shared, Saved.Shared.values, "shared")
        if roles is not None:
            row.roles = [_one_of(role, [r.value for r in Role], "role") for role in roles]
        if schedule is not None:
            row.schedule = _one_of(schedule, Saved.Schedule.values, "schedule")
        if is_pinned is not None:
            row.is_pinned = is_pinned
        row.changed_at = clock.now()
        try:
            with transaction.atomic():
                row.save(force_update=True)
        except IntegrityError:
            raise Conflict(
                f"there is a saved question {row.name!r} already", "Choose another name."
            ) from None


def remove(key: uuid.UUID) -> None:
    """Forget a saved question and its history."""
    Saved.objects.filter(key=key).delete()


def run_saved(key: uuid.UUID, *, by: str, progress: asking.Progress | None = None) -> answers.Answer:
    """Ask a saved question anew and keep the answer in its history. Raises what asking raises, once it is noted."""
    began_s = clock.monotonic_s()
    try:
        answer = asking.ask(selectors.saved(key).question, by=by, progress=progress)
    except Exception as error:
        if isinstance(error, RapportError):
            said = f"{error.message}. {error.hint}"
        else:
            log.exception("the saved question %s failed", key)
            said = f"{type(error).__name__}: {error}"
        # Whatever it was, it is noted: what leaves no note is asked again at once.
        _note(key, "", said, clock.monotonic_s() - began_s)
        raise
    _note(key, json.dumps(answers.as_json(answer), ensure_ascii=False), "", answer.took_s)
    return answer


def run_due(progress: Callable[[str], None] | None = None) -> int:
    """Ask what is scheduled and has not been asked since it was due; gives how many. One that fails stops no other."""
    n = 0
    try:
        with home.lock("explore-due"):
            for key, name in due():
                if progress:
                    progress(name)
                try:
                    run_saved(key, by=BY_ITSELF)
                except Exception as error:
                    log.warning("the saved question %s could not be asked: %s", key, error)
                n += 1
    except Conflict:
        log.info("scheduled questions are being asked already")
    return n


def due() -> list[tuple[uuid.UUID, str]]:
    """Saved questions whose hour has come."""
    zone = zoneinfo.ZoneInfo(asking.world().zone)
    local = clock.now().astimezone(zone)
    found = []
    for row in Saved.objects.exclude(schedule=Saved.Schedule.NEVER).order_by("name"):
        day = local.date()
        if local.hour < NIGHT_HOUR:
            day -= dt.timedelta(days=1)
        if row.schedule == Saved.Schedule.WEEKLY:
            day -= dt.timedelta(days=(day.weekday() - WEEKDAY) % 7)
        since = dt.datetime.combine(day, dt.time(NIGHT_HOUR), zone)
        # What was put on the schedule since waits for its first night.
        if row.changed_at <= since and not Kept.objects.filter(saved=row, at__gte=since).exists():
            found.append((row.key, row.name))
    return found


def erase(whose: Erasing) -> int:
    """Forget every kept answer, and whatever saved names one of the identifiers; gives how many rows."""
    asking.forget_answers()
    values = {i: value for i in whose.identifiers if (value := i.partition(":")[2])}
    # As JSON has it, so that quotes and the like are found too. What merely looks alike is sorted out by a pattern.
    written = {i: json.dumps(value, ensure_ascii=False)[1:-1].lower() for i, value in values.items()}
    patterns: dict[str, re.Pattern[str]] = {}

    def is_named(document: str, *names: str) -> bool:
        said = [document.lower(), *(name.lower() for name in names)]
        for identifier, text in written.items():
            if any(text in one or values[identifier].lower() in one for one in said):
                named = patterns.setdefault(identifier, _named(identifier, values[identifier]))
                if (document and _names(json.loads(document), named)) or any(map(named.search, names)):
                    return True
        return False

    answers = Kept.objects.values_list("id", "answer").iterator()
    n = Kept.objects.filter(id__in=[i for i, answer in answers if is_named(answer)]).delete()[0]
    asked = [row.key for row in Saved.objects.all() if is_named(row.question, row.name)]
    return n + int(Saved.objects.filter(key__in=asked).delete()[0])


def _named(identifier: str, value: str) -> re.Pattern[str]:
    """Finds an identifier or its value where it stands alone: 2026 is no part of 2026-03-01, nor bo of bo.example."""
    either = "|".join(re.escape(text) for text in (identifier, value))
    return re.compile(rf"(?<![\w@.:+-])(?:{either})(?![\w@:+-]|\.\w)", re.IGNORECASE)


def _names(said: Any, named: re.Pattern[str]) -> bool:
    """Whether a text somewhere in a JSON document names it."""
    if isinstance(said, dict):
        return any(_names(one, named) for one in said.values())
    if isinstance(said, list):
        return any(_names(one, named) for one in said)
    return isinstance(said, str) and named.search(said) is not None


def _note(key: uuid.UUID, answer: str, error: str, took_s: float) -> None:
    with transaction.atomic():
        # It may have been removed while it was asked.
        if not Saved.objects.select_for_update().filter(key=key).exists():
            return
        Kept.objects.create(
            id=ids.uuid7(), saved_id=key, at=clock.now(), answer=answer, error=error, took_s=took_s
        )
    newest = Kept.objects.filter(saved_id=key).order_by("-at", "-id").values_list("id", flat=True)
    Kept.objects.filter(id__in=list(newest[HISTORY:])).delete()


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= 120:
        raise Invalid("the question has no name, or one of more than 120 letters", "Give it a short name.")
    return name


def _text(question: Question) -> str:
    # Read again, so that nothing is kept that could not be read.
    return json.dumps(document(parsing.parse(document(question))), ensure_ascii=False, sort_keys=True)


def _one_of(value: str, known: Sequence[str], what: str) -> str:
    if value not in known:
        raise Invalid(f"{what} is {value!r}", f"Choose one of {', '.join(known)}.")
    return value
