"""Keep public authors apart and briefly: forget who fell silent, and at once who objects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from django.db.models import F
from numpy.typing import NDArray

from rapport.events import lake
from rapport.events import services as events
from rapport.events.rules import KNOWN_NAMESPACES
from rapport.kit import clock, home, query
from rapport.kit.errors import Conflict, Denied, Invalid, Unavailable
from rapport.listening import selectors as listening
from rapport.people.models import AuthorObjection, AuthorTerms, Identifier, Identity
from rapport.people.rules import authors, graph
from rapport.people.selectors import rows
from rapport.people.selectors.authors import author_terms
from rapport.people.services import erasing

LOCK = "authors"
EVERY = dt.timedelta(days=1)
FORGOTTEN_MAX = 20_000  # authors a pass: what remains is forgotten in the next, a day later
WAITING_MAX = 5_000  # objections that wait for a pass; the page is open to everybody, machines included
OBJECTION_WAIT = dt.timedelta(hours=1)  # files are written anew for all who objected in that time together


@dataclass(frozen=True, slots=True)
class AuthorsForgotten:
    """What one pass forgot."""

    objected: int = 0  # handles
    silent: int = 0  # authors
    events: int = 0


Forgetting = Callable[[Sequence[int], Sequence[str]], object]  # given: subjects, identifiers
_before: list[Forgetting] = []
_after: list[Forgetting] = []


def register_forgetting(before: Forgetting, after: Forgetting) -> None:
    """Have what lies above people forget authors as well: `before` the log forgets their words, and `after`.

    Both may be called again with the same authors.
    """
    if before not in _before:
        _before.append(before)
        _after.append(after)


def object_author(network: str, handle: str) -> None:
    """Keep nothing more of what somebody publishes under a handle; later posts of theirs stay out.

    From now on nothing comes in, and no list or page shows them. The log's files are written anew by the
    worker, for all who objected together. Whether anybody was known by that handle is not told.
    """
    identifier = authors.handle(network, handle)
    if AuthorObjection.objects.count() >= WAITING_MAX:
        raise Unavailable(
            "more objections wait than can be carried out in an hour",
            "Try again in an hour.",
            retry_after_s=3_600,
        )
    AuthorObjection.objects.get_or_create(identifier=identifier, defaults={"at": clock.now()})
    events.keep_out([identifier])
    namespace, _, value = identifier.partition(":")
    known = Identifier.objects.filter(namespace=namespace, value=value).values_list("subject", flat=True)
    if subjects := list(known):
        erasing.forget(subjects, [identifier])


def set_author_terms(days: int, *, by: str) -> None:
    """Keep what public authors published for so many days after their last post."""
    if not authors.DAYS_MIN <= days <= authors.DAYS_MAX:
        raise Invalid(
            f"public authors cannot be kept for {days} days",
            f"Choose {authors.DAYS_MIN} to {authors.DAYS_MAX} days after their last post.",
        )
    changed = {"days": days, "changed_at": clock.now(), "changed_by": by, "carried_out_at": None}
    AuthorTerms.objects.update_or_create(id=1, defaults=changed)


def forget_authors(now: dt.datetime | None = None) -> AuthorsForgotten:
    """Forget in the log who objected, and everywhere whose last post is older than the firm keeps it."""
    now = now or clock.now()
    with home.lock(LOCK):
        waiting = list(AuthorObjection.objects.order_by("at")[:WAITING_MAX])
        persons, silent = _silent(now)
        texts = [row.identifier for row in waiting]
        known = rows.table("SELECT subject, namespace, value FROM people_identifier WHERE false", _IDENTIFIER)
        if silent.size:
            known = rows.of("identifier", _IDENTIFIER, "subject", silent)
        texts += [f"{row['namespace']}:{row['value']}" for row in known.to_pylist()]
        subjects = np.union1d(silent, _of_the_log([row.identifier for row in waiting]))
        for forget in _before if texts else ():
            forget(subjects.tolist(), texts)
        # Of whom the log has never heard there is nothing to take out of its files.
        n_events = events.forget(subjects.tolist(), texts).events if subjects.size else 0
        for forget in _after if texts else ():
            forget(subjects.tolist(), texts)
        if silent.size:
            erasing.forget(silent.tolist(), ())
        AuthorObjection.objects.filter(pk__in=[row.pk for row in waiting]).delete()
        AuthorTerms.objects.get_or_create(id=1, defaults={"days": authors.DAYS})
        AuthorTerms.objects.filter(id=1).update(
            carried_out_at=now, n_forgotten=F("n_forgotten") + int(persons.size) + len(waiting)
        )
    return AuthorsForgotten(objected=len(waiting), silent=int(persons.size), events=n_events)


def forget_authors_if_due() -> AuthorsForgotten | None:
    """Once a day, or an hour after somebody objected; None where there is nothing to do."""
    terms, now = author_terms(), clock.now()
    is_due = terms.carried_out_at is None or terms.carried_out_at <= now - EVERY
    if not is_due and not AuthorObjection.objects.filter(at__lte=now - OBJECTION_WAIT).exists():
        return None
    try:
        return forget_authors()
    except Conflict:  # another process is at it
        return None


def crosses(a: graph.Subjects, b: graph.Subjects) -> NDArray[np.bool_]:
    """For pairs of subjects, whether one end is a public author's and the other's not.

    Likeness joins no author to somebody we know: that takes their consent or their own act.
    """
    subjects = np.unique(np.concatenate([a, b]))
    belongs = rows.of("identity", _IDENTITY, "subject", subjects).sort_by("subject")
    kinds = rows.of("person", _KIND, "id", np.unique(rows.numbers(belongs, "person")))
    wanted = pa.array([kind == authors.AUTHOR for kind in kinds["kind"].to_pylist()], pa.bool_())
    public = rows.numbers(kinds.filter(wanted), "id")
    theirs = rows.numbers(belongs, "subject")[graph.is_in(rows.numbers(belongs, "person"), np.sort(public))]
    crossing: NDArray[np.bool_] = graph.is_in(a, theirs) != graph.is_in(b, theirs)
    return crossing


def check_terms(*subjects: int) -> None:
    """Raise Denied where one of them is a handle that its network's terms let nobody join to a customer.

    The persons are looked at whole: joining somebody who goes by such a handle joins the handle.
    """
    networks, _sources = listening.forbidding("may_match")
    if not networks:
        return
    persons = Identity.objects.filter(subject__in=subjects).values_list("person", flat=True)
    theirs = Identity.objects.filter(person__in=list(persons)).values_list("subject", flat=True)
    found = set(Identifier.objects.filter(subject__in=list(theirs)).values_list("namespace", flat=True))
    forbidden = sorted(found & set(networks))
    if forbidden and found & set(KNOWN_NAMESPACES):
        raise Denied(
            f"the terms of {forbidden[0]} let nobody join a handle there to a customer",
            "Keep the two apart; answer them where they are.",
        )


def against_terms(a: graph.Subjects, b: graph.Subjects) -> NDArray[np.bool_]:
    """For pairs of subjects, whether joining them would carry a handle beyond a network whose terms forbid that.

    Not only to somebody we know: what a handle was joined to may be joined to them by the next assertion.
    """
    networks, _sources = listening.forbidding("may_match") if a.size else ([], [])
    if not networks:
        return np.zeros(a.size, np.bool_)
    names = rows.of("identifier", _IDENTIFIER, "subject", np.unique(np.concatenate([a, b])))
    network = dict(zip(names["subject"].to_pylist(), names["namespace"].to_pylist(), strict=True))
    ends = [(network.get(x, ""), network.get(y, "")) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    return np.array([x != y and (x in networks or y in networks) for x, y in ends], np.bool_)


def under_derivation_ban() -> graph.Subjects:
    """Subjects that are handles on networks whose terms let nothing be derived of one author, ascending."""
    networks, _sources = listening.forbidding("may_derive")
    if not networks:
        return np.empty(0, np.int64)
    found = Identifier.objects.filter(namespace__in=networks).values_list("subject", flat=True)
    return np.unique(np.fromiter(found.iterator(chunk_size=20_000), np.int64))


_IDENTIFIER = pa.schema([("subject", pa.int64()), ("namespace", pa.string()), ("value", pa.string())])
_AUTHOR = pa.schema([("subject", pa.int64()), ("person", pa.int64()), ("namespace", pa.string())])
_IDENTITY = pa.schema([("subject", pa.int64()), ("person", pa.int64())])
_KIND = pa.schema([("id", pa.int64()), ("kind", pa.string())])


def _silent(now: dt.datetime) -> tuple[graph.Subjects, graph.Subjects]:
    """Authors whose last event is older than the terms say, and all their subjects."""
    theirs = rows.table(
        "SELECT i.subject, i.person, n.namespace FROM people_identity i JOIN people_person p ON i.person = p.id"
        " JOIN people_identifier n ON i.subject = n.subject WHERE p.kind = 'author' ORDER BY i.subject",
        _AUTHOR,
    )
    if not theirs.num_rows:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    con = lake.connect()
    try:
        lake.give(con, "author", theirs)
        lake.give(con, "limit_of", _limits(theirs["namespace"].unique().to_pylist(), now))
        found = query.run(
            con, query.load("rapport.people", "silent_authors"), {"most": FORGOTTEN_MAX}
        ).to_arrow_table()
    finally:
        con.close()
    persons = np.sort(rows.numbers(found, "person"))
    return persons, rows.numbers(theirs, "subject")[graph.is_in(rows.numbers(theirs, "person"), persons)]


def _limits(networks: list[str], now: dt.datetime) -> pa.Table:
    """Whoever said nothing since is silent: the firm's own terms, or the network's where these are stricter."""
    own = author_terms().days
    days = {network: listening.keep_days_of(network) for network in networks}
    return pa.table(
        {
            "namespace": pa.array(networks, pa.string()),
            "before_ts": pa.array(
                [now - dt.timedelta(days=min(own, days[network] or own)) for network in networks],
                pa.timestamp("us", tz="UTC"),
            ),
        }
    )


def _of_the_log(identifiers: list[str]) -> graph.Subjects:
    """The numbers that the log gave these identifiers."""
    if not identifiers:
        return np.empty(0, np.int64)
    con = lake.connect()
    try:
        lake.give(con, "wanted", pa.table({"identifier": pa.array(identifiers, pa.string())}))
        found = con.execute(
            "SELECT DISTINCT s.subject FROM lake.subject AS s JOIN wanted AS w ON s.identifier = w.identifier"
        ).to_arrow_table()
    finally:
        con.close()
    return rows.numbers(found, "subject")
