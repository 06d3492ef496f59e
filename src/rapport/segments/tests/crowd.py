"""A small crowd of made-up people with awkward facts, as Python sees them and as the relations hold them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from rapport.segments.rules import Catalogue, Column, Counted
from rapport.segments.rules.matching import DayCount, Facts, LabelCount, today_of

NOW = dt.datetime(2026, 3, 1, 0, 30, tzinfo=dt.UTC)  # the 28th still, west of here; a day after 28 February
PEOPLE = 40

TEXTS = ("gold", "Gold", "GOLD leaf", "İzmir", "straße", "ΣΊΣΥΦΟΣ", "100%", "a_b", "O'Hara", " ", "")
CATEGORIES = ("wipers", "Ünder", "it's")
NAMES = ("order_placed", "page_viewed", "complaint_raised")
ANNOTATIONS = {"sentiment": ("positive", "negative", "neutral"), "intent": ("question",)}
ZONES = (
    "UTC",
    "Asia/Seoul",
    "America/Los_Angeles",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Asia/Kolkata",
)

CATALOGUE = Catalogue(
    columns={
        c.name: c
        for c in (
            Column("country", "text"),
            Column("language", "text"),
            Column("kind", "text"),
            Column("first_seen", "date"),
            Column("last_seen", "date"),
            Column("trait:plan", "text"),
            Column("trait:points", "number"),
            Column("trait:newsletter", "boolean"),
            Column("trait:birth_date", "date"),
            Column('trait:a "b" c', "text"),
            Column("score:churn_risk", "number"),
            Column("label:churn_risk", "text"),
        )
    },
    events={name: Counted(name, n=1_000) for name in NAMES},
    annotations=ANNOTATIONS,
    purposes={"marketing": "", "surveys": ""},
    channels=("email", "phone"),
    namespaces=("email", "customer"),
    segments={"winter": "", "vip": ""},
)


@dataclass(frozen=True, slots=True)
class Happened:
    """One event, at an instant that some clock shows."""

    person: int
    name: str
    category: str
    at: dt.datetime
    value_minor: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """Each person's facts, and a connection whose relations say the same."""

    facts: dict[int, Facts]
    con: duckdb.DuckDBPyConnection


def crowd(seed: int) -> Crowd:
    """A crowd that is the same for the same seed."""
    rng = np.random.default_rng(seed)
    people = sorted(int(p) for p in rng.choice(10_000, PEOPLE, replace=False))
    happened = [one for person in people for one in _life(rng, person)]
    facts = {person: _facts(rng, person, happened) for person in people}
    return Crowd(facts, _relations(rng, facts, happened))


def _life(rng: np.random.Generator, person: int) -> list[Happened]:
    found = []
    for _ in range(int(rng.choice([0, 0, 1, 3, 12]))):
        days = int(rng.choice([0, 1, 1, 2, 6, 7, 8, 29, 30, 31, 89, 90, 365, 400, -1]))
        # Close to midnight in UTC, where a clock in another zone shows another day.
        near = dt.timedelta(minutes=int(rng.choice([-31, -1, 0, 1, 29, 600])))
        midnight = NOW.replace(hour=0, minute=0) - dt.timedelta(days=days)
        zone = zoneinfo.ZoneInfo(str(rng.choice(ZONES)))
        found.append(
            Happened(
                person,
                str(rng.choice(NAMES)),
                str(rng.choice((*CATEGORIES, ""))),
                (midnight + near).astimezone(zone),
                int(rng.choice([0, 100, 2_500, -2_500, 10**12])),
            )
        )
    return found


def _facts(rng: np.random.Generator, person: int, happened: list[Happened]) -> Facts:
    def perhaps(value: Any) -> Any:
        return value if rng.random() < 0.7 else None

    def day() -> dt.date:
        far = int(rng.choice([-400, -30, -8, -7, -6, -1, 0, 1, 6, 7, 300]))
        return today_of(NOW) + dt.timedelta(days=far)

    def text() -> str:
        return str(rng.choice(TEXTS))

    return Facts(
        fields={
            "country": perhaps(text()),
            "language": perhaps("es"),
            "kind": "person",
            "first_seen": perhaps(day()),
            "last_seen": perhaps(day()),
        },
        traits={
            "plan": perhaps(text()),
            "points": perhaps(float(rng.choice([-1.5, 0.0, 0.1, 3.0, 2.0**53]))),
            "newsletter": perhaps(bool(rng.random() < 0.5)),
            "birth_date": perhaps(dt.date(1988, *[(2, 29), (2, 28), (3, 1), (12, 31)][int(rng.integers(4))])),
            'a "b" c': perhaps(text()),
        },
        scores={"churn_risk": float(rng.choice([0.0, 0.25, 1.0]))} if rng.random() < 0.7 else {},
        labels={"churn_risk": text()} if rng.random() < 0.7 else {},
        namespaces=frozenset(n for n in ("email", "customer") if rng.random() < 0.5),
        allowed=frozenset(
            (p, c) for p in ("marketing", "surveys") for c in ("", "email", "phone") if rng.random() < 0.5
        ),
        days=_counted(person, happened),
        annotated=tuple(
            LabelCount(name, str(rng.choice(labels)), day(), int(rng.integers(1, 4)))
            for name, labels in ANNOTATIONS.items()
            for _ in range(int(rng.integers(0, 3)))
        ),
        segments={key: None for key in ("winter", "vip") if rng.random() < 0.5},
    )


def _counted(person: int, happened: list[Happened]) -> tuple[DayCount, ...]:
    """Day counters in plain Python, apart from how the database makes them."""
    counted = []
    mine = [one for one in happened if one.person == person]
    keys = {(one.name, by, today_of(one.at)) for one in mine for by in ("", one.category)}
    for name, by, day in sorted(keys):
        rows = [o for o in mine if (o.name, today_of(o.at)) == (name, day) and by in ("", o.category)]
        counted.append(
            DayCount(
                name,
                by,
                day,
                len(rows),
                sum(o.value_minor for o in rows),
                min(o.at for o in rows),
                max(o.at for o in rows),
            )
        )
    return tuple(counted)


SCHEMA = """
CREATE TABLE profile (person BIGINT, kind VARCHAR, country VARCHAR, language VARCHAR, first_seen DATE,
    last_seen DATE, namespaces VARCHAR[], "trait:plan" VARCHAR, "trait:points" DOUBLE,
    "trait:newsletter" BOOLEAN, "trait:birth_date" DATE, "trait:a ""b"" c" VARCHAR,
    "score:churn_risk" DOUBLE, "label:churn_risk" VARCHAR);
CREATE TABLE happened (person BIGINT, name VARCHAR, category VARCHAR, ts TIMESTAMPTZ, value_minor BIGINT, part INTEGER);
CREATE TABLE annotated_day (name VARCHAR, label VARCHAR, day DATE, person BIGINT, n BIGINT);
CREATE TABLE member (segment VARCHAR, person BIGINT);
CREATE TABLE allowed (purpose VARCHAR, channel VARCHAR, person BIGINT);
"""
# As the loader counts days; in parts that are to be added up, as the log has them.
COUNTED = """
CREATE TABLE person_day AS
SELECT name, dimension, ts::DATE AS day, person, count(*) AS n, sum(value_minor)::BIGINT AS value_minor,
    min(ts) AS first_ts, max(ts) AS last_ts
FROM (SELECT *, '' AS dimension FROM happened UNION ALL SELECT *, category FROM happened WHERE category <> '')
GROUP BY name, dimension, ts::DATE, person, part ORDER BY name, dimension, day, person
"""


def _relations(
    rng: np.random.Generator, facts: dict[int, Facts], happened: list[Happened]
) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; SET threads = 1")
    con.execute(SCHEMA)
    for person, f in facts.items():
        row: list[Any] = [
            person,
            f.fields["kind"],
            *(f.fields[n] for n in ("country", "language", "first_seen", "last_seen")),
        ]
        row += [
            sorted(f.namespaces) or None,
            *f.traits.values(),
            f.scores.get("churn_risk"),
            f.labels.get("churn_risk"),
        ]
        con.execute(f"INSERT INTO profile VALUES ({', '.join('?' * len(row))})", row)
        for one in f.annotated:
            con.execute(
                "INSERT INTO annotated_day VALUES (?, ?, ?, ?, ?)",
                [one.name, one.label, one.day, person, one.n],
            )
        for key in f.segments:
            con.execute("INSERT INTO member VALUES (?, ?)", [key, person])
        for purpose, channel in f.allowed:
            con.execute("INSERT INTO allowed VALUES (?, ?, ?)", [purpose, channel, person])
    for h in happened:
        row = [h.person, h.name, h.category, h.at, h.value_minor, int(rng.integers(2))]
        con.execute("INSERT INTO happened VALUES (?, ?, ?, ?, ?, ?)", row)
    # Somebody whom the profile leaves out, because they refuse: nowhere may they turn up.
    con.execute("INSERT INTO happened SELECT 99999, name, category, ts, value_minor, 0 FROM happened")
    con.execute("INSERT INTO allowed SELECT DISTINCT purpose, channel, 99999 FROM allowed")
    con.execute("INSERT INTO member SELECT DISTINCT segment, 99999 FROM member")
    con.execute(COUNTED)
    return con
