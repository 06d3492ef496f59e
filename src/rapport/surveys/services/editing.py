"""Writing a survey: its draft, how it reaches people, and the version that is kept for good."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from rapport.kit import clock
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.surveys import rules
from rapport.surveys.models import Quota, Response, Survey, Version

SLUG = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")
PLACES = ("link", "site", "mail")
RESERVED = ("r", "inline")  # parts of the answering pages' own addresses
RECONTACT_DAYS_MAX = 3650


@dataclass(frozen=True, slots=True)
class Reach:
    """Where, when and how often a survey is put to people; may change while it runs."""

    places: tuple[str, ...]
    opens_at: dt.datetime | None = None
    closes_at: dt.datetime | None = None
    target_ratio: float = 1.0
    recontact_days: int = 30


def create(slug: str, definition: rules.Definition, *, by: str, reach: Reach | None = None) -> str:
    """Begin a draft; gives its slug. Raises Invalid for a slug that no address can hold, Conflict if taken."""
    slug = slug.strip().lower()
    if not SLUG.match(slug) or slug in RESERVED:
        raise Invalid(
            f"{slug!r} cannot be a survey's address", "Use lower-case letters, digits, - and _, up to 64."
        )
    reach = reach or Reach(("link",))
    _check(reach)
    now = clock.now()
    with transaction.atomic():
        if Survey.objects.filter(slug=slug).exists():
            raise Conflict(f"there is a survey at {slug!r} already", "Choose another address.")
        Survey.objects.create(
            slug=slug,
            draft=rules.to_json(definition),
            created_at=now,
            created_by=by,
            changed_at=now,
            **_columns(reach),
        )
    return slug


def edit(slug: str, change: Callable[[rules.Definition], rules.Definition]) -> rules.Definition:
    """Change the draft; what was published stays as it is until it is published again."""
    with transaction.atomic():
        survey = _locked(slug)
        changed = change(rules.from_json(survey.draft))
        survey.draft = rules.to_json(changed)
        survey.changed_at = clock.now()
        survey.save(update_fields=["draft", "changed_at"])
    return changed


def set_reach(slug: str, reach: Reach) -> None:
    """Change where, when and how often the survey is put to people."""
    _check(reach)
    with transaction.atomic():
        survey = _locked(slug)
        for name, value in _columns(reach).items():
            setattr(survey, name, value)
        survey.save(update_fields=list(_columns(reach)))


def publish(slug: str, *, by: str) -> int:
    """Keep the draft as a new version and ask it from now on; gives its number.

    Raises Conflict where something is missing; a draft that equals what is published only opens it again.
    """
    with transaction.atomic():
        survey = _locked(slug)
        draft = rules.from_json(survey.draft)
        lacking = rules.problems(draft)
        if lacking or not survey.places:
            raise Conflict(
                f"{len(lacking) or 1} things are missing in survey {slug!r}",
                "The check list beside the questions names each of them.",
            )
        number = survey.version or 0
        last = Version.objects.filter(survey=survey, number=number).first()
        if last is None or rules.from_json(last.definition) != draft:
            number += 1
            Version.objects.create(
                survey=survey,
                number=number,
                definition=rules.to_json(draft),
                published_at=clock.now(),
                published_by=by,
            )
        for quota in draft.quotas:
            Quota.objects.get_or_create(survey=survey, key=quota.key)
        survey.version = number
        survey.state = Survey.State.PUBLISHED
        survey.save(update_fields=["version", "state"])
    return number


def pause(slug: str) -> None:
    """Ask nobody for the time being; who is in the middle of it finds it paused."""
    _move(slug, {Survey.State.PUBLISHED}, Survey.State.PAUSED)


def open_again(slug: str) -> None:
    """Ask again what was published before."""
    _move(slug, {Survey.State.PAUSED, Survey.State.CLOSED}, Survey.State.PUBLISHED)


def close(slug: str) -> None:
    """End it; its answers and results stay."""
    _move(slug, {Survey.State.PUBLISHED, Survey.State.PAUSED}, Survey.State.CLOSED)


def discard(slug: str) -> None:
    """Throw a draft away that nobody was ever asked. Raises Conflict where it was published."""
    with transaction.atomic():
        survey = _locked(slug)
        if survey.version is not None or Response.objects.filter(survey=survey).exists():
            raise Conflict(f"survey {slug!r} was published", "Close it; its answers stay readable.")
        survey.delete()


def _move(slug: str, before: set[Survey.State], after: Survey.State) -> None:
    with transaction.atomic():
        survey = _locked(slug)
        if survey.version is None or survey.state not in before:
            raise Conflict(f"survey {slug!r} is {survey.state}", "Load the page again to see how it stands.")
        survey.state = after
        survey.save(update_fields=["state"])


def _locked(slug: str) -> Survey:
    survey = Survey.objects.select_for_update().filter(slug=slug).first()
    if survey is None:
        raise NotFound(f"there is no survey at {slug!r}", "The list of surveys has those there are.")
    return survey


def _columns(reach: Reach) -> dict[str, object]:
    return {
        "places": list(reach.places),
        "opens_at": reach.opens_at,
        "closes_at": reach.closes_at,
        "target_ratio": reach.target_ratio,
        "recontact_days": reach.recontact_days,
    }


def _check(reach: Reach) -> None:
    _known(reach.places)
    if not 0 < reach.target_ratio <= 1:
        raise Invalid(
            f"a share of {reach.target_ratio:g} is not between 0 and 1", "Write 0.1 for one in ten."
        )
    if not 0 <= reach.recontact_days <= RECONTACT_DAYS_MAX:
        raise Invalid(
            f"a wait of {reach.recontact_days} days cannot be kept", f"Use 0 to {RECONTACT_DAYS_MAX} days."
        )
    if reach.opens_at and reach.closes_at and reach.closes_at <= reach.opens_at:
        raise Invalid("the survey would close before it opens", "Set the end after the start.")


def _known(places: Sequence[str]) -> None:
    odd = [place for place in places if place not in PLACES]
    if odd:
        raise Invalid(f"{odd[0]!r} is no place to ask at", f"There are {', '.join(PLACES)}.")
