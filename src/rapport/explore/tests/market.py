"""A small market of known events, in memory: as rows for the reference, and as the lake's tables."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from rapport.events import lake, plan
from rapport.explore.rules.catalogue import World
from rapport.explore.rules.compiling import GIVEN
from rapport.kit import query

TODAY = dt.date(2026, 3, 12)
ZONES = ("UTC", "Europe/Madrid", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe")
CATEGORIES = ("brakes", "wipers", "oil", None)
SEGMENTS = ("loyal", "new")
EVENTS = (
    "order_placed",
    "order_refunded",
    "page_viewed",
    "page_counted",
    "site_searched",
    "complaint_raised",
    "message_sent",
    "message_opened",
    "message_clicked",
    "message_bounced",
    "message_withheld",
    "survey_answered",
    "answer_corrected",
    "form_sent",
)


@dataclass(frozen=True)
class Market:
    """Events, sessions and annotations as rows; who is whom, who refuses, what is known of people."""

    events: list[dict[str, Any]]
    sessions: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    person_of: dict[int, int]
    refused: set[int]
    known: dict[int, tuple[str, str]]
    traits: dict[int, str]
    classes: dict[int, str]
    members: dict[str, set[int]]


def made(seed: int = 7, n: int = 2_500) -> Market:
    """A market whose events crowd round midnight and the changes of clocks, where mistakes would be."""
    draw = np.random.default_rng(seed)
    subjects = np.arange(1, 161)
    person_of = {int(s): int(s - s % 3) or 1 for s in subjects if s % 11}
    refused = {int(s) for s in subjects if person_of.get(int(s), 0) % 13 == 6}
    persons = sorted(set(person_of.values()))
    market = Market(
        events=[],
        sessions=[],
        annotations=[],
        person_of=person_of,
        refused=refused,
        known={p: (str(draw.choice(["ES", "DE", ""])), str(draw.choice(["es", "de"]))) for p in persons},
        traits={p: str(draw.choice(["gold", "blue"])) for p in persons if p % 4},
        classes={p: str(draw.choice(["champions", "asleep"])) for p in persons if p % 2},
        members={s: {p for p in persons if draw.random() < 0.4} for s in SEGMENTS},
    )
    begin = dt.datetime(2024, 12, 20, tzinfo=dt.UTC)
    names = draw.choice(EVENTS, n, p=_odds())
    for seq, name in enumerate(names.tolist(), 1):
        day = int(draw.integers(0, 447))
        hour = float(draw.choice([draw.normal(0, 2), draw.uniform(0, 24), draw.normal(18.5, 1), 3.0]))
        ts = begin + dt.timedelta(days=day, hours=round(hour, 3))
        market.events.append(_event(draw, seq, str(name), ts, int(draw.choice(subjects))))
    for _ in range(300):
        started = begin + dt.timedelta(days=float(draw.uniform(0, 447)))
        market.sessions.append(
            {
                "subject": int(draw.choice(subjects)),
                "started_at": started,
                "ended_at": started + dt.timedelta(seconds=int(draw.integers(0, 4000))),
                "source": "site",
                "channel": draw.choice(["web", "app", None]),
                "n_pages": int(draw.integers(1, 9)),
                "n_events": 9,
                "landing": str(draw.choice(["/", "/oil"])),
                "exit_page": "/cart",
                "referrer": None,
                "referrer_domain": draw.choice(["search.example", None]),
                "campaign": draw.choice(["spring", None]),
                "search": None,
            }
        )
    for event in market.events:
        if event["text"]:
            for run in (1, 2):
                for about in ("sentiment", "intent"):
                    label = str(draw.choice(["negative", "neutral", "positive"]))
                    row = {"seq": event["seq"], "subject": event["subject"], "ts": event["ts"], "run": run}
                    market.annotations.append({**row, "name": about, "label": label})
    return market


def _odds() -> list[float]:
    weights = np.array([16, 4, 20, 4, 5, 4, 12, 7, 6, 2, 3, 10, 2, 5], float)
    return [float(w) for w in weights / weights.sum()]


def _event(draw: np.random.Generator, seq: int, name: str, ts: dt.datetime, subject: int) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    value, currency = None, None
    sign = -1 if name == "order_refunded" else 1
    if name.startswith("order_"):
        items = [
            {
                "product_code": f"p{draw.integers(0, 5)}",
                "category": draw.choice(CATEGORIES),
                "quantity": int(draw.integers(1, 4)),
                "unit_price_minor": int(draw.integers(100, 5000)),
            }
            for _ in range(int(draw.integers(0, 4)))
        ]
        value = sign * int(draw.integers(100, 20_000)) if draw.random() < 0.95 else None
        currency = draw.choice(["EUR", "EUR", "USD", None]) if value is not None else None
        properties = {"order_id": f"o{seq}", "country": draw.choice(["ES", "DE", None])}
        if items:
            properties["items"] = items
    elif name.startswith("page_"):
        properties = {
            "path": str(draw.choice(["/", "/oil", "/cart"])),
            "campaign": draw.choice(["spring", None]),
            "referrer": draw.choice(["https://www.Search.example/x?q=1", "http://forum.example", None]),
        }
    elif name == "site_searched":
        properties = {"query": str(draw.choice(["oil", "brakes"]))}
    elif name == "complaint_raised":
        properties = {"reason": draw.choice(["late", "broken", None])}
    elif name.startswith("message_"):
        properties = {
            "message": f"m{draw.integers(0, 40)}",
            "campaign": str(draw.choice(["spring", "autumn"])),
        }
        if name == "message_clicked" and draw.random() < 0.3:
            properties["machine"] = True
    elif name in ("survey_answered", "answer_corrected"):
        response = f"r{draw.integers(0, 90)}"
        score = int(draw.integers(0, 11))
        properties = {
            "survey": "nps",
            "question": str(draw.choice(["recommend", "ease"])),
            "response": response,
        }
        if name == "survey_answered" or draw.random() < 0.6:
            properties |= {"answer": str(score), "score": score}
    properties["device"] = str(draw.choice(["phone", "desk"]))
    return {
        "seq": seq,
        "ts": ts,
        "subject": subject,
        "name": name,
        "source": str(draw.choice(["shop", "site"])),
        "channel": draw.choice(["web", "app", None]),
        "venue": None,
        "text": "words" if draw.random() < 0.2 else None,
        "value_minor": value,
        "currency": currency,
        "properties": {k: v for k, v in properties.items() if v is not None},
    }


def loaded(market: Market) -> duckdb.DuckDBPyConnection:
    """The market as the lake's tables; counters made by the loader's own query, in two parts."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for name, (columns, *_rest) in lake.TABLES.items():
        con.execute(f"CREATE TABLE {name} ({columns})")
    for name, columns in GIVEN.items():
        con.execute(f"CREATE TABLE {name} ({columns})")
    rows = [{**e, "properties": json.dumps(e["properties"], separators=(",", ":"))} for e in market.events]
    _insert(con, "event", rows, {"id": "uuid()", "received_at": "ts"})
    _insert(con, "session", market.sessions, {})
    _insert(con, "annotation", market.annotations, {"model": "'m'", "version": "'1'"})
    for name, table in plan.relations(plan.builtin()).items():
        con.register(name, table)
    for half in (0, 1):
        con.execute(
            "CREATE OR REPLACE TEMP TABLE fresh AS SELECT seq, subject, ts, name, value_minor,"
            f" properties::VARCHAR AS properties FROM event WHERE seq % 2 = {half}"
        )
        query.run(con, query.load("rapport.events", "load_counters"))
        counted = query.run(con, query.load("rapport.events", "load_counters")).to_arrow_table()
        con.register("counted", counted)
        con.execute("INSERT INTO subject_day BY NAME SELECT * FROM counted")
        con.unregister("counted")
    give(con, "identity", [(s, p, p) for s, p in market.person_of.items() if s not in market.refused])
    give(con, "refused", [(s,) for s in market.refused])
    give(con, "known", [(p, c or None, lang) for p, (c, lang) in market.known.items()])
    give(con, "trait_of", [(p, "plan", v) for p, v in market.traits.items()])
    give(con, "score_of", [(p, "rfm", v) for p, v in market.classes.items()])
    give(con, "member", [(s, p) for s, people in market.members.items() for p in people])
    return con


def give(con: duckdb.DuckDBPyConnection, name: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        con.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def _insert(
    con: duckdb.DuckDBPyConnection, name: str, rows: list[dict[str, Any]], made_up: dict[str, str]
) -> None:
    con.register("rows_given", pa.Table.from_pylist([_plain(r) for r in rows]))
    extra = "".join(f", {sql} AS {column}" for column, sql in made_up.items())
    con.execute(f"INSERT INTO {name} BY NAME SELECT *{extra} FROM rows_given")
    con.unregister("rows_given")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, np.str_) else v for k, v in row.items()}


def world(zone: str) -> World:
    """What the shipped plan lets a question name, and a zone."""
    planned = plan.builtin().values()
    return World(
        properties=frozenset(p for e in planned for p in e.properties),
        counted={e.name: e.counted_by for e in planned if e.counted},
        zone=zone,
    )
