"""What a question comes to, worked out event by event in plain Python: slow, and written without a look at the SQL."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from rapport.explore.rules.question import Asked, Condition, Figures
from rapport.explore.tests.market import Market

Key = tuple[int, tuple[str, ...] | None, dt.date | None, bool, str]
Found = dict[Key, tuple[int | None, int | None]]

NAMES = {
    "orders": ("order_placed",),
    "revenue": ("order_placed", "order_refunded"),
    "sales": ("order_placed",),
    "refunds": ("order_refunded",),
    "average_order": ("order_placed",),
    "pieces": ("order_placed",),
    "repeat_share": ("order_placed",),
    "new_customers": ("order_placed",),
    "page_views": ("page_viewed", "page_counted"),
    "searches": ("site_searched",),
    "complaints": ("complaint_raised",),
    "messages_sent": ("message_sent",),
    "messages_delivered": ("message_sent", "message_bounced"),
    "messages_opened": ("message_opened",),
    "messages_clicked": ("message_clicked",),
    "open_share": ("message_opened", "message_sent"),
    "click_share": ("message_clicked", "message_sent"),
    "bounce_share": ("message_bounced", "message_sent"),
    "messages_unsubscribed": ("message_unsubscribed",),
    "messages_withheld": ("message_withheld",),
}
MONEY = ("revenue", "sales", "refunds", "average_order")
LINES = ("category", "product", "product_code")
PEOPLE = ("person_country", "person_language", "cohort", "trait", "score", "segment")
UNPLANNED = "property:device"  # whatever no plan knows may be about a person
PROPERTIES = {
    "country": "country",
    "campaign": "campaign",
    "page": "path",
    "search": "query",
    "reason": "reason",
    "purpose": "purpose",
}
COLUMNS = {"campaign": "campaign", "referrer": "referrer_domain", "search": "search"}


class Reference:
    """A market, a zone and a day, asked without SQL."""

    def __init__(
        self, market: Market, zone: str, spans: tuple[tuple[dt.date, dt.date], tuple[dt.date, dt.date] | None]
    ) -> None:
        self.market = market
        self.zone = zoneinfo.ZoneInfo(zone)
        self.now, self.before = spans
        self.first: dict[int, dt.datetime] = {}
        for e in market.events:
            if e["name"] == "order_placed" and e["subject"] not in market.refused:
                who = self.person(e["subject"])
                self.first[who] = min(self.first.get(who, e["ts"]), e["ts"])

    def person(self, subject: int) -> int:
        return self.market.person_of.get(subject, subject)

    def figures(self, question: Figures) -> tuple[Found, dict[Key, int]]:
        found: Found = {}
        people: dict[Key, int] = {}
        named = [*question.by, *(c.dimension for c in question.where)]
        personal = bool(question.segment) or any(
            n.partition(":")[0] in PEOPLE or n == UNPLANNED for n in named
        )
        for at, asked in enumerate(question.measures):
            cells: dict[Key, list[dict[str, Any]]] = defaultdict(list)
            of_people = personal or asked.measure in ("people", "repeat_share", "new_customers")
            for row in self.rows(asked, named):
                if of_people and row["subject"] in self.market.refused:
                    continue
                side = self.side(row["ts"], question)
                if side is None or not all(self.keeps(row, c) for c in question.where):
                    continue
                if (
                    question.segment
                    and self.person(row["subject"]) not in self.market.members[question.segment]
                ):
                    continue
                if asked.measure == "new_customers" and row["ts"] != self.first[self.person(row["subject"])]:
                    continue
                currency = (row["currency"] or "") if asked.measure in MONEY else ""
                groups = tuple(self.value(row, name) for name in question.by)
                bucket = self.bucket(row["ts"], question.grain)
                for g in {groups, None} if question.by else {None}:
                    for b in {bucket, None}:
                        cells[at, g, b, side, currency].append(row)
            for key, rows in cells.items():
                found[key] = self.measured(asked, rows, named)
                people[key] = len({self.person(r["subject"]) for r in rows})
        return found, people

    def side(self, ts: dt.datetime, question: Figures) -> bool | None:
        """Whether a moment is in the period before; None where it is in neither."""
        day = ts.astimezone(self.zone).date()
        if self.now[0] <= day <= self.now[1]:
            return False
        if question.compare and self.before and self.before[0] <= day <= self.before[1]:
            return True
        return None

    def bucket(self, ts: dt.datetime, grain: str) -> dt.date | None:
        day = ts.astimezone(self.zone).date()
        if grain == "day":
            return day
        if grain == "week":
            return day - dt.timedelta(days=day.isoweekday() - 1)
        return day.replace(day=1) if grain == "month" else None

    def rows(self, asked: Asked, named: list[str]) -> list[dict[str, Any]]:
        if asked.measure in ("sessions", "session_minutes", "pages_per_session"):
            return [{**s, "ts": s["started_at"]} for s in self.market.sessions]
        if asked.measure in ("texts", "negative_share"):
            return self.texts(asked)
        if asked.measure in ("answers", "answer_average", "nps"):
            return self.answers()
        names = (asked.event,) if asked.event else NAMES.get(asked.measure)
        rows = [e for e in self.market.events if names is None or e["name"] in names]
        rows = [
            e
            for e in rows
            if not (
                e["name"] == "message_clicked"
                and e["properties"].get("machine")
                and names is not None
                and "message_clicked" in names
            )
        ]
        if asked.measure == "pieces" or any(n in LINES for n in named):
            return [{**e, "line": line} for e in rows for line in e["properties"].get("items", [])]
        return rows

    def texts(self, asked: Asked) -> list[dict[str, Any]]:
        newest: dict[int, dict[str, Any]] = {}
        for a in self.market.annotations:
            is_asked = a["name"] == (asked.annotation or "sentiment")
            if is_asked and (a["seq"] not in newest or a["run"] > newest[a["seq"]]["run"]):
                newest[a["seq"]] = a
        by_seq = {e["seq"]: e for e in self.market.events}
        rows = [{**by_seq[seq], "label": a["label"]} for seq, a in newest.items()]
        return [r for r in rows if not asked.label or r["label"] == asked.label]

    def answers(self) -> list[dict[str, Any]]:
        newest: dict[tuple[str, str, str], dict[str, Any]] = {}
        for e in sorted(self.market.events, key=lambda e: int(e["seq"])):
            if e["name"] in ("survey_answered", "answer_corrected"):
                p = e["properties"]
                newest[p["survey"], p["question"], p["response"]] = e
        return [e for e in newest.values() if "answer" in e["properties"] or e["text"]]

    def keeps(self, row: dict[str, Any], condition: Condition) -> bool:
        value = self.value(row, condition.dimension)
        if condition.values and (value in condition.values) == condition.is_not:
            return False
        if condition.at_least is None and condition.at_most is None:
            return True
        try:
            number = float(value)
        except ValueError:
            return False
        return (condition.at_least is None or number >= condition.at_least) and (
            condition.at_most is None or number <= condition.at_most
        )

    def value(self, row: dict[str, Any], name: str) -> str:
        kind, _colon, rest = name.partition(":")
        local = row["ts"].astimezone(self.zone)
        who = self.person(row["subject"])
        special: dict[str, Callable[[], Any]] = {
            "weekday": local.isoweekday,
            "hour": lambda: f"{local.hour:02d}",
            "event": lambda: row["name"],
            "property": lambda: row["properties"].get(rest),
            "annotation_label": lambda: row["label"],
            "question": lambda: row["properties"]["question"],
            "survey": lambda: row["properties"].get("survey"),
            "answer": lambda: row["properties"].get("answer"),
            "category": lambda: row["line"].get("category"),
            "product": lambda: row["line"]["product_code"],
            "product_code": lambda: row["line"]["product_code"],
            "person_country": lambda: self.market.known.get(who, ("", ""))[0],
            "person_language": lambda: self.market.known.get(who, ("", ""))[1],
            "trait": lambda: self.market.traits.get(who) if rest == "plan" else None,
            "score": lambda: self.market.classes.get(who) if rest == "rfm" else None,
            "segment": lambda: "yes" if who in self.market.members[rest] else "no",
            "cohort": lambda: f"{self.first[who].astimezone(self.zone):%Y-%m}" if who in self.first else None,
        }
        if kind in special:
            found = special[kind]()
        elif "started_at" in row:
            found = row.get(COLUMNS.get(kind, kind))
        elif kind == "referrer":
            host = urlsplit(row["properties"].get("referrer", "")).hostname or ""
            found = host.removeprefix("www.")
        elif kind in PROPERTIES:
            found = row["properties"].get(PROPERTIES[kind])
        else:
            found = row[kind]
        if found is True:
            return "true"
        return "" if found is None else str(found)

    def measured(  # noqa: PLR0912  one branch a measure, as a reader would write them down
        self, asked: Asked, rows: list[dict[str, Any]], named: list[str]
    ) -> tuple[int | None, int | None]:
        name = asked.measure
        by_line = any(n in LINES for n in named)
        people = {self.person(r["subject"]) for r in rows}
        if name in ("people", "new_customers"):
            return len(people), None
        if name == "repeat_share":
            again = {
                self.person(r["subject"]) for r in rows if r["ts"] > self.first[self.person(r["subject"])]
            }
            return len(again), len(people)
        if name == "pieces":
            return round(sum(r["line"]["quantity"] for r in rows)), None
        if name == "orders":
            return len({r["seq"] for r in rows}), None
        if name in ("revenue", "sales", "refunds"):
            values = [self.worth(r) if by_line else r["value_minor"] for r in rows]
            given = [v for v in values if v is not None]
            if not given:
                return None, None
            return -sum(given) if name == "refunds" else sum(given), None
        if name == "average_order":
            given = [r["value_minor"] for r in rows if r["value_minor"] is not None]
            return sum(given) if given else None, len(given)
        if name == "session_minutes":
            return sum((r["ended_at"] - r["started_at"]) // dt.timedelta(microseconds=1) for r in rows), len(
                rows
            )
        if name == "pages_per_session":
            return sum(r["n_pages"] for r in rows), len(rows)
        if name == "negative_share":
            return sum(r["label"] == "negative" for r in rows), len(rows)
        if name in ("nps", "answer_average"):
            scores = [r["properties"]["score"] for r in rows if "score" in r["properties"]]
            if name == "nps":
                return sum(s >= 9 for s in scores) - sum(s <= 6 for s in scores), len(scores)
            return (round(1e6 * sum(scores)) if scores else None), len(scores)
        if name.startswith("messages_") or name.endswith("_share"):
            return self.messages(name, rows)
        return len(rows), None

    def messages(self, name: str, rows: list[dict[str, Any]]) -> tuple[int, int | None]:
        def n(of: str) -> int:
            return sum(r["name"] == of for r in rows)

        def different(of: str) -> int:
            return len({r["properties"]["message"] for r in rows if r["name"] == of})

        tops = {
            "messages_delivered": lambda: n("message_sent") - n("message_bounced"),
            "messages_opened": lambda: different("message_opened"),
            "messages_clicked": lambda: different("message_clicked"),
            "open_share": lambda: different("message_opened"),
            "click_share": lambda: different("message_clicked"),
            "bounce_share": lambda: n("message_bounced"),
        }
        top = tops[name]() if name in tops else len(rows)
        return top, n("message_sent") if name.endswith("_share") else None

    @staticmethod
    def worth(row: dict[str, Any]) -> int:
        worth = int(row["line"]["quantity"] * row["line"]["unit_price_minor"])
        return -worth if row["name"] == "order_refunded" else worth
