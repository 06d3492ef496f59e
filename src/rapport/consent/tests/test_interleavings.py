"""No interleaving of grants, refusals, merges, imports and erasures lets a read through that the ledger forbids.

A plain model of what was said and of who is whom is kept beside the product; after each step both are asked
the same questions: one by one, as a relation, and through a warrant.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rapport.consent import handlers, selectors, services
from rapport.consent.erasers import Erasing
from rapport.consent.selectors import holding
from rapport.consent.services import forgetting
from rapport.events import rules as log_rules
from rapport.events import services as events
from rapport.events import subscriptions
from rapport.kit import clock
from rapport.kit.errors import Conflict
from rapport.people import handlers as people_handlers
from rapport.people import selectors as people
from rapport.people import services as persons
from rapport.people.tests.conftest import CLAIM, SUBJECT

BEGAN = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
WHO = tuple(f"email:{name}@example.org" for name in ("ana", "bo", "chi", "dee"))
ASKED = (("marketing", "email"), ("marketing", "sms"), ("analytics", ""), ("service", "email"))
PURPOSES = {"marketing": ("", "email", "sms"), "analytics": ("",), "service": ("", "email")}

EVENT = pa.schema(
    [
        ("id", pa.string()),
        ("seq", pa.int64()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("subject", pa.int64()),
        ("name", pa.string()),
        ("source", pa.string()),
        ("properties", pa.string()),
    ]
)

# Asked for by the plain model alone, in plain words.
RESTRICTIVE = ["granted", "expired", "denied", "withdrawn"]


@dataclass
class Plain:
    """Everything that was said and decided, as lists; every question is answered by going through them."""

    said: list[tuple[str, str, str, str, dt.datetime, dt.datetime | None]] = field(default_factory=list)
    certain: dict[int, tuple[str, str]] = field(default_factory=dict)  # accepted edges by id
    known: set[str] = field(default_factory=set)  # to people

    def same(self, who: str) -> set[str]:
        found, grows = {who}, True
        while grows:
            more = {x for a, b in self.certain.values() for x in (a, b) if {a, b} & found}
            grows = not more <= found
            found |= more
        return found

    def allows(self, who: str, purpose: str, channel: str, at: dt.datetime) -> bool:
        if purpose == "service":
            return True
        heard = []
        for by, of, on, state, when, ends in self.said:
            if by in self.same(who) and of == purpose and on in ("", channel) and when <= at:
                over = state == "granted" and ends is not None and ends <= at
                heard.append((when, RESTRICTIVE.index("expired" if over else state)))
        last = RESTRICTIVE[max(heard)[1]] if heard else ""
        if purpose == "analytics":
            return who in self.known and last not in ("denied", "withdrawn")
        return last == "granted"


class Interleavings(RuleBasedStateMachine):
    """The steps of the world, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = BEGAN
        self.frozen = clock.frozen(self.now)
        self.frozen.__enter__()
        self.plain = Plain()
        self.subjects: dict[str, int] = {}
        self.probable: set[int] = set()
        self.waiting: list[dict[str, object]] = []  # events that the log has, and consent has not seen
        self.seqs = itertools.count(1)
        self.turns = itertools.count()
        setattr(events, "touchpoint", self._heard)  # noqa: B010  the log, without its disk
        for who in WHO[:3]:  # the fourth is heard of later, or only ever speaks for themselves
            self.introduce(who)

    def teardown(self) -> None:
        self.frozen.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def _heard(
        self, name: str, identifier: str, *, source: str, message_id: str = "", **columns: object
    ) -> object:
        seq = next(self.seqs)
        if name not in handlers.NAMES:
            return events.Range(seq, 1)
        told = dict(columns.pop("properties"))  # type: ignore[call-overload]
        self.waiting.append(
            {
                "id": str(services.answering.writing.event_id(source, message_id)),
                "seq": seq,
                "ts": columns["ts"],
                "name": name,
                "source": source,
                "identifier": identifier,
                "properties": pa_json(told),
            }
        )
        return events.Range(seq, 1)

    def _subject(self, who: str) -> int:
        """As the loader gives it: by the first event that names somebody."""
        if who not in self.subjects:
            self.subjects[who] = next(self.seqs) << log_rules.SUBJECT_BITS
        return self.subjects[who]

    # What people says

    @rule(
        who=st.sampled_from(WHO),
        verb=st.sampled_from(["grant", "deny", "withdraw"]),
        about=st.sampled_from([(p, c) for p, channels in PURPOSES.items() for c in channels]),
        life_h=st.none() | st.integers(1, 3),
    )
    def say(self, who: str, verb: str, about: tuple[str, str], life_h: int | None) -> None:
        ends = self.now + life_h * HOUR if life_h and verb == "grant" else None
        getattr(services, verb)(who, *about, how="form", expires_at=ends)
        state = {"grant": "granted", "deny": "denied", "withdraw": "withdrawn"}[verb]
        self.plain.said.append((who, *about, state, self.now, ends))

    @rule(
        who=st.sampled_from(WHO),
        state=st.sampled_from(["granted", "denied", "withdrawn"]),
        about=st.sampled_from([(p, c) for p, channels in PURPOSES.items() for c in channels]),
        ago_h=st.integers(0, 3),
        twice=st.booleans(),
    )
    def import_(self, who: str, state: str, about: tuple[str, str], ago_h: int, twice: bool) -> None:
        """An answer out of a file, about a time that is past; the file may be imported again."""
        self.introduce(who)
        seq, at = next(self.seqs), self.now - ago_h * HOUR
        told = {"purpose": about[0], "channel": about[1]}
        row = {
            "id": f"{seq:032x}",
            "seq": seq,
            "ts": at,
            "name": f"consent_{state}",
            "source": "crm",
            "identifier": who,
            "properties": pa_json(told),
        }
        self._deliver([row] * (2 if twice else 1))
        self.plain.said.append((who, *about, state, at, None))

    @rule()
    def catch_up(self) -> None:
        """The subscriber sees what our own services have recorded, some of it in force already."""
        for row in self.waiting:
            self.introduce(str(row["identifier"]))
        self._deliver(self.waiting)
        self.waiting = []

    @rule(hours=st.integers(1, 2))
    def wait(self, hours: int) -> None:
        self.frozen.__exit__(None, None, None)
        self.now += hours * HOUR
        self.frozen = clock.frozen(self.now)
        self.frozen.__enter__()

    # Who is whom

    def introduce(self, who: str) -> None:
        """People hears of somebody; consent may long have an answer of theirs."""
        if who in self.plain.known:
            return
        subject = {"subject": self._subject(who), "identifier": who, "first_seq": 0}
        people_handlers.on_batch(
            subscriptions.Batch(
                0,
                0,
                events=EVENT.empty_table(),
                claims=CLAIM.empty_table(),
                subjects=pa.Table.from_pylist([subject], schema=SUBJECT),
            )
        )
        self.plain.known.add(who)

    @rule(pair=st.sampled_from(list(itertools.combinations(WHO, 2))), surely=st.booleans())
    def join(self, pair: tuple[str, str], surely: bool) -> None:
        """A colleague holds two for one, or a model does and is believed."""
        for who in pair:
            self.introduce(who)
        a, b = (self.subjects[who] for who in pair)
        if surely:
            try:
                edge = persons.merge(a, b, "said so", "alice").edge
            except Conflict:
                return
            self.plain.certain[edge] = pair
            return
        rows = pa.table({"a": [a], "b": [b], "confidence": [0.99], "evidence": ["likeness"]})
        if persons.propose(rows, source="splink", accept_from=0.9).accepted:
            found = people.person(a).edges
            self.probable |= {e.id for e in found if e.certainty == "probable" and e.state == "accepted"}

    @precondition(lambda self: self.plain.certain or self.probable)
    @rule(place=st.integers(0, 20))
    def unmerge(self, place: int) -> None:
        edges = sorted(self.probable | self.plain.certain.keys())
        edge = edges[place % len(edges)]
        persons.unmerge(edge, "alice")
        self.probable.discard(edge)
        self.plain.certain.pop(edge, None)

    @rule(who=st.sampled_from(WHO))
    def erase(self, who: str) -> None:
        """The person (all that is accepted as them) and everything that they said."""
        if who not in self.plain.known:
            return
        person = people.person_id(who)
        theirs = people.subjects_of(person)
        texts = {w for w in self.plain.known if self.subjects[w] in theirs}
        # What hangs on the person's identifiers goes with them, also where the log is yet to number it.
        forgetting.erase(Erasing(tuple(theirs), tuple(sorted(texts)), ()))
        persons.erase(person)
        self.waiting = [row for row in self.waiting if row["identifier"] not in texts]
        self.plain.said = [row for row in self.plain.said if row[0] not in texts]
        gone = {edge for edge, pair in self.plain.certain.items() if set(pair) & texts}
        self.plain.certain = {e: p for e, p in self.plain.certain.items() if e not in gone}
        self.plain.known -= texts
        for text in texts:
            del self.subjects[text]
        left = {e.id for who in self.plain.known for e in people.person(self.subjects[who]).edges}
        self.probable &= left

    # What must hold

    @invariant()
    def every_way_of_asking_gives_the_plain_answer(self) -> None:
        purpose, channel = ASKED[
            next(self.turns) % len(ASKED)
        ]  # in turn: what is wrong stays wrong for a while
        for at in (self.now, self.now - HOUR):
            allowed = {w for w in WHO if self.plain.allows(w, purpose, channel, at)}
            one_by_one = {w for w in WHO if selectors.allows(w, purpose, channel, at)}
            assert one_by_one == allowed, (purpose, channel, at)
            relation = set(selectors.allowed_subjects(purpose, channel, at)["subject"].to_pylist())
            assert relation == {self.subjects[w] for w in allowed & self.plain.known}
        everybody = {self.subjects[w] for w in self.plain.known}
        now = {self.subjects[w] for w in self.plain.known if self.plain.allows(w, purpose, channel, self.now)}
        leave = services.warrant(purpose, by="test", why="to see", channel=channel)
        assert set(leave.sees(sorted(everybody)).tolist()) == now
        assert set(leave.refuses()["subject"].to_pylist()) == everybody - now

    def _deliver(self, rows: list[dict[str, object]]) -> None:
        told = [{**row, "subject": self._subject(str(row["identifier"]))} for row in rows]
        handlers.on_batch(
            subscriptions.Batch(
                0,
                0,
                events=pa.Table.from_pylist(
                    [{k: v for k, v in row.items() if k != "identifier"} for row in told], schema=EVENT
                ),
                claims=CLAIM.empty_table(),
                subjects=SUBJECT.empty_table(),
            )
        )


def pa_json(told: dict[str, object]) -> str:
    import json

    return json.dumps(told)


def test_no_interleaving_shows_what_the_ledger_forbids(
    home: object, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "RENEW_CHANGES", 3)  # so that snapshots are written and read along the way
    monkeypatch.setattr(events, "touchpoint", events.touchpoint)  # put back afterwards
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=6 if connection.vendor == "postgresql" else 15,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],  # a failing run is short enough to be read as it is
            suppress_health_check=list(HealthCheck),
        ),
    )
