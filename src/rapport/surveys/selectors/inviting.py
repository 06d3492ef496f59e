"""Who would be invited to a survey by mail, and why the others would not."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from rapport.consent.services import Warrant
from rapport.events import lake
from rapport.kit import clock, query, secret
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.surveys.models import Invitation, Response, Survey

PACKAGE = "rapport.surveys"


@dataclass(frozen=True, slots=True)
class Base:
    """Those who come into question; empty means any."""

    country: str = ""
    language: str = ""
    bought_within_days: int = 0


@dataclass(frozen=True, slots=True)
class Invitable:
    """How many would be invited, and by reason how many not."""

    n: int
    n_base: int
    withheld: Mapping[str, int]


def invitable(slug: str, base: Base, warrant: Warrant) -> Invitable:
    """What `invite` would do now."""
    reasons = Counter(candidates(slug, base, warrant)["reason"].to_pylist())
    n = reasons.pop("", 0)
    return Invitable(n, n + sum(reasons.values()), dict(reasons.most_common()))


def candidates(slug: str, base: Base, warrant: Warrant) -> pa.Table:
    """One row per person of the base: person, identifier, language, reason ('' where they are invited).

    The wait counts from whatever survey reached any identifier of the person: an invitation that left, or a
    response.
    """
    survey = Survey.objects.filter(slug=slug).first()
    if survey is None:
        raise NotFound(f"there is no survey at {slug!r}", "The list of surveys has those there are.")
    with people.analyst_engine("SELECT 1 FROM person, identity, identifier") as con:
        lake.give(con, "allowed", warrant.subjects())
        lake.give(con, "reached", _reached(survey))
        since = clock.now().date() - dt.timedelta(days=base.bought_within_days)
        bought = query.run(con, query.load(PACKAGE, "bought_since"), {"since": since})
        lake.give(con, "bought", bought.to_arrow_table())
        asked = {
            "salt": secret.keyed_hash("survey sample", slug),
            "target_ratio": survey.target_ratio,
            "country": base.country or None,
            "language": base.language or None,
            "only_buyers": base.bought_within_days > 0,
        }
        return query.run(con, query.load(PACKAGE, "invitable"), asked).to_arrow_table()


def _reached(survey: Survey) -> pa.Table:
    """Whom any survey reached within this one's wait; this survey itself on the same day at least."""
    since = clock.now() - dt.timedelta(days=survey.recontact_days)
    own_since = min(since, clock.now() - dt.timedelta(days=1))
    found: list[tuple[str, bool]] = []
    for of in (
        Response.objects.filter(started_at__gte=own_since).values_list("identifier", "survey", "started_at"),
        Invitation.objects.filter(state="sent", at__gte=own_since).values_list("identifier", "survey", "at"),
    ):
        found += [(who, which == survey.pk) for who, which, at in of if which == survey.pk or at >= since]
    columns = list(zip(*found, strict=True)) or [(), ()]
    return pa.table(
        [pa.array(columns[0], pa.string()), pa.array(columns[1], pa.bool_())], ["identifier", "is_own"]
    )
