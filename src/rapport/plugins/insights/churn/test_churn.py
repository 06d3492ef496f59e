"""What the query yields, that nothing of the future or of who people are comes in, and that chances are right."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rapport.insights import services
from rapport.insights.contract import Context
from rapport.kit import chances, query
from rapport.plugins.insights.churn import displeasure, figures, histories, silence
from rapport.plugins.insights.churn.plugin import plugin
from rapport.plugins.insights.churn.rhythm import Rhythm

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
CONTEXT = Context(now=NOW, seed=1)
ANA, BO, CHI = 8, 16, 24
ACTS = {
    "complaint": "complaint_raised",
    "letter": "message_received",
    "answer": "survey_answered",
    "order": "order_placed",
    "refund": "order_refunded",
}

# The lake's tables, with the columns that the query may read and no others.
TABLES = {
    "event": "subject BIGINT, ts TIMESTAMPTZ, name VARCHAR, value_minor BIGINT, currency VARCHAR, properties JSON",
    "session": "subject BIGINT, started_at TIMESTAMPTZ",
    "subject_day": "subject BIGINT, day DATE, name VARCHAR, dimension VARCHAR, n BIGINT",
    "annotation": "seq BIGINT, subject BIGINT, ts TIMESTAMPTZ, name VARCHAR, label VARCHAR, run BIGINT",
}


def happened(
    person: int, what: str, days: float, minor: int | None = None, **properties: Any
) -> dict[str, Any]:
    """One event, so many days before now."""
    return {
        "subject": person,
        "name": ACTS.get(what, what),
        "ts": NOW - dt.timedelta(days=days),
        "value_minor": minor,
        "currency": properties.pop("currency", "EUR") if minor is not None else None,
        "properties": json.dumps(properties),
    }


def table(
    events: list[dict[str, Any]],
    *,
    days: list[tuple[int, float, str, str]] = [],  # noqa: B006  only read
    sessions: list[tuple[int, float]] = [],  # noqa: B006
    texts: list[tuple[int, int, float, str, int]] = [],  # noqa: B006
) -> pa.Table:
    """What the query yields for these rows of the lake."""
    people = sorted({e["subject"] for e in events} | {d[0] for d in days})
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        for name, shape in TABLES.items():
            con.execute(f"CREATE TABLE {name} ({shape})")
        for e in events:
            con.execute(
                "INSERT INTO event (subject, name, ts, value_minor, currency, properties) VALUES (?, ?, ?, ?, ?, ?)",
                [e[k] for k in ("subject", "name", "ts", "value_minor", "currency", "properties")],
            )
        for person, ago, name, dimension in days:
            con.execute(
                "INSERT INTO subject_day (subject, day, name, dimension, n) VALUES (?, ?, ?, ?, 1)",
                [person, (NOW - dt.timedelta(days=ago)).date(), name, dimension],
            )
        for person, ago in sessions:
            con.execute(
                "INSERT INTO session (subject, started_at) VALUES (?, ?)",
                [person, NOW - dt.timedelta(days=ago)],
            )
        for seq, person, ago, said, run in texts:
            con.execute(
                "INSERT INTO annotation (seq, subject, ts, name, label, run) VALUES (?, ?, ?, 'sentiment', ?, ?)",
                [seq, person, NOW - dt.timedelta(days=ago), said, run],
            )
        con.register("identity", pa.table({"subject": people, "person": people, "core": people}))
        return query.run(con, plugin.needs, {"now": NOW, "horizon_days": 90}).to_arrow_table()


def in_order(found: pa.Table) -> list[dict[str, Any]]:
    """Rows with their lists sorted, which the query leaves as they come."""
    rows = found.to_pylist()
    return [{k: sorted(v, key=str) if isinstance(v, list) else v for k, v in row.items()} for row in rows]


def rounded(values: list[float] | None) -> list[float]:
    return sorted(round(v, 3) for v in values or [])


def test_order_lines_alone_are_enough_and_a_day_is_one_order() -> None:
    (row,) = table(
        [
            happened(ANA, "order", 10.2, 500),
            happened(ANA, "order", 10.1, 700),  # the same day: two parcels
            happened(ANA, "order", 40, 100),
            happened(ANA, "refund", 5, -700),
            happened(ANA, "order", -3, 900),
            happened(ANA, "order", -90, 900),  # beyond the horizon
        ]
    ).to_pylist()
    assert row["currency"] == "EUR"
    found = {round(o["ago"], 2): o["minor"] for o in row["orders"]}
    assert found == {10.2: 1200, 40.0: 100, -3.0: 900}
    assert rounded(row["refunds"]) == [5.0]
    assert row["sessions"] is None


def test_the_day_of_the_cut_is_parted_there() -> None:
    (row,) = table([happened(ANA, "order", 0.1, 500), happened(ANA, "order", -0.1, 700)]).to_pylist()
    assert sorted(round(o["ago"], 1) for o in row["orders"]) == [-0.1, 0.1]


def test_money_of_another_currency_is_not_added() -> None:
    (row,) = table(
        [
            happened(BO, "order", 30, 100),
            happened(BO, "order", 20, 100),
            happened(BO, "order", 10, 999, currency="JPY"),
        ]
    ).to_pylist()
    assert row["currency"] == "EUR"
    assert {round(o["ago"]): o["minor"] for o in row["orders"]} == {30: 100, 20: 100, 10: None}


def test_an_answer_is_low_on_the_scale_of_its_question() -> None:
    (row,) = table(
        [
            happened(ANA, "answer", 30, survey="nps", question="q", score=10),
            happened(ANA, "answer", 20, survey="nps", question="q", score=6),
            happened(ANA, "answer", 19, survey="nps", question="q", score=7),
            happened(ANA, "answer", 15, survey="stars", question="q", score=5),
            happened(ANA, "answer", 14, survey="stars", question="q", score=2),
            happened(ANA, "answer", 12, survey="cars", question="how many", score=1),  # rates nothing
            happened(ANA, "answer", 11, survey="nps", question="q"),  # in words alone
        ]
    ).to_pylist()
    assert rounded(row["low_answers"]) == [14.0, 20.0]
    assert rounded(row["good_answers"]) == [15.0, 19.0, 30.0]


def test_messages_count_when_their_day_is_over_and_what_has_no_campaign_is_an_answer() -> None:
    (row,) = table(
        [happened(ANA, "order", 50, 1)],
        days=[
            (ANA, 5, "message_sent", ""),
            (ANA, 5, "message_sent", "spring"),
            (ANA, 3, "message_sent", ""),
            (ANA, 0, "message_opened", ""),
            (ANA, 9, "consent_withdrawn", "marketing"),
            (ANA, 9, "consent_withdrawn", ""),
        ],
    ).to_pylist()
    assert rounded(row["sent"]) == [4.5], "the end of that day lies four and a half days back"
    assert rounded(row["replies"]) == [2.5]
    assert rounded(row["opened"]) == [-0.5], "today is not over: not yet known"
    assert rounded(row["stopped"]) == [8.5]


def test_the_newest_reading_of_a_text_counts_and_the_last_complaint_is_named() -> None:
    (row,) = table(
        [
            happened(ANA, "complaint", 40, reason="wrong_part"),
            happened(ANA, "complaint", 20, reason="late_delivery"),
            happened(ANA, "complaint", -5, reason="not yet known"),
        ],
        texts=[(1, ANA, 20, "positive", 1), (1, ANA, 20, "negative", 2), (2, ANA, 8, "neutral", 1)],
        sessions=[(ANA, 7)],
    ).to_pylist()
    assert rounded(row["negative_texts"]) == [20.0]
    assert row["positive_texts"] is None
    assert row["last_complaint"] == "late_delivery"
    assert rounded(row["sessions"]) == [7.0]
    assert row["orders"] is None, "who complained without an order is known all the same"


def test_a_visitor_who_told_nothing_is_not_scored() -> None:
    assert table([happened(CHI, "page_viewed", 3)], sessions=[(CHI, 3)]).num_rows == 0


WHO_PEOPLE_ARE = (
    "country", "language", "name", "birth", "age", "gender", "sex", "religion", "ethnic", "trait", "household",
    "town", "product", "category", "path", "text", "venue", "channel", "source",
)  # fmt: skip


def test_no_figure_and_no_column_says_who_somebody_is() -> None:
    read = re.sub(r"--[^\n]*", "", plugin.needs.text)
    columns = set(re.findall(r"\b[eads]\.\"?(\w+)", read)) - {"subject", "name"}  # the event's name
    asked = set(re.findall(r"'\$\.(\w+)'", read))
    assert asked == {"reason", "survey", "question", "score"}
    for word in WHO_PEOPLE_ARE:
        assert word not in columns | asked, word
    spoken = " ".join(figures.names_of(tuple(figures.SUBJECTS)))
    for word in set(WHO_PEOPLE_ARE) - {"age", "text", "name"}:
        assert not re.search(rf"\b{word}", spoken), word


def test_who_somebody_is_changes_nothing() -> None:
    told = [happened(BO, "order", d, 100 + d) for d in (10, 40, 80)] + [happened(BO, "complaint", 9)]
    plain = in_order(table(told))
    who = {"country": "XX", "language": "yy", "items": [{"category": "prayer rugs", "product_name": "Koran"}]}
    for e in told:
        e["properties"] = json.dumps({**json.loads(e["properties"]), **who})
    traits = {"gender": "f", "birth_date": "1950-01-01", "religion": "none", "given_name": "Bo"}
    assert in_order(table([*told, happened(BO, "person_identified", 5, traits=traits)])) == plain


def shop(
    n: int = 1500, seed: int = 0, *, days: int = 700, complaints: bool = True, season: float = 0.0
) -> tuple[list[dict[str, Any]], np.ndarray[Any, Any]]:
    """People who buy at rates of their own until they leave; some leave after a complaint. Also who is gone."""
    rng = np.random.default_rng(seed)
    rows, gone = [], np.zeros(n, bool)
    for k in range(n):
        rate = rng.gamma(2.0, 1 / 80)
        begin = rng.uniform(60, days)
        leaves = begin - rng.exponential(300)  # days before now
        moments = begin - np.cumsum(np.append(0.0, rng.exponential(1 / rate, 400)))
        if season:
            keep = (
                rng.random(len(moments)) < 1 - season * (1 + np.cos(2 * np.pi * (moments + 45) / 365.25)) / 2
            )
            keep[0] = True
            moments = moments[keep]
        complained = []
        if complaints and rng.random() < 0.3:
            upset = rng.uniform(-90, begin)
            complained, leaves = [upset], max(leaves, upset - 1)
        moments = moments[(moments > -90) & (moments >= leaves)]
        gone[k] = leaves > 0
        if len(moments) == 0:
            moments = np.array([begin])
        rows.append(
            {
                "person": k,
                "currency": "EUR",
                "orders": [{"ago": float(m), "minor": 1000} for m in moments],
                **{kind: [] for kind in histories.KINDS},
                "complaints": [float(c) for c in complained],
                "last_complaint": "",
            }
        )
    return rows, gone


SCHEMA = pa.schema(
    [
        ("person", pa.int64()),
        ("currency", pa.string()),
        ("orders", pa.list_(pa.struct([("ago", pa.float64()), ("minor", pa.int64())]))),
        *((kind, pa.list_(pa.float32())) for kind in histories.KINDS),
        ("last_complaint", pa.string()),
    ]
)


def as_table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def without_future(rows: list[dict[str, Any]], until: float = 0.0) -> list[dict[str, Any]]:
    """The same people, knowing only what lay more than `until` days before now."""
    return [
        {
            **row,
            "orders": [o for o in row["orders"] if o["ago"] > until],
            **{kind: [a for a in row[kind] if a > until] for kind in histories.KINDS},
        }
        for row in rows
    ]


def said(rows: list[dict[str, Any]], name: str = "churn_risk") -> dict[int, dict[str, Any]]:
    given_ = as_table(rows)
    found = plugin.score(plugin.fit(given_, CONTEXT), given_, CONTEXT).to_pylist()
    return {row["person"]: row for row in found if row["name"] == name}


def test_the_future_is_neither_learnt_from_nor_scored_with() -> None:
    rows, _ = shop(400)
    blind = without_future(rows)
    assert any(len(a["orders"]) != len(b["orders"]) for a, b in zip(rows, blind, strict=True))
    for name in ("churn_risk", "dissatisfaction"):
        seeing, unseeing = said(rows, name), said(blind, name)
        assert [r["reason"] for r in seeing.values()] == [r["reason"] for r in unseeing.values()]
        assert [r["value"] for r in seeing.values()] == pytest.approx([r["value"] for r in unseeing.values()])


# In 1/1024 of a day: the same in floating point and in microseconds, so that "at the cut" is the same too.
moments = st.lists(st.integers(-80 * 1024, 900 * 1024).map(lambda n: n / 1024), max_size=8)
cuts = st.integers(0, 600 * 1024).map(lambda n: n / 1024)


@given(st.lists(st.tuples(moments, moments, moments), min_size=1, max_size=6), cuts)
@example([([], [], [512.5])], 512.5)
@example([([3.25, 512.5], [512.5], [])], 512.5)
@settings(max_examples=60, deadline=None)
def test_what_is_known_at_a_moment_is_what_would_have_been_known_then(people: Any, cut: float) -> None:
    """Figures at an earlier moment are those of a log that ends there."""
    rows = [
        {
            "person": k,
            "currency": "EUR",
            "orders": [{"ago": a, "minor": 100 + i} for i, a in enumerate(orders)],
            **{kind: acts if i % 2 else seen for i, kind in enumerate(histories.KINDS)},
            "last_complaint": "",
        }
        for k, (orders, acts, seen) in enumerate(people)
    ]

    def known(of: list[dict[str, Any]]) -> Any:
        histories_ = histories.read(as_table(of), answers_known=True)
        row, at = np.arange(len(of)), np.full(len(of), -cut)
        rhythm = Rhythm.of(histories_, row, at)
        found = figures.at_moments(histories_, row, at, rhythm, 90, np.full(len(of), 100.0))
        return found.of(tuple(figures.SUBJECTS)), rhythm

    (whole, rhythm), (then, rhythm_then) = known(rows), known(without_future(rows, cut))
    assert np.isfinite(whole).all()
    assert np.allclose(whole, then)
    assert np.array_equal(rhythm.n, rhythm_then.n)
    assert np.allclose(rhythm.last, rhythm_then.last)


def test_chances_are_right_and_beat_the_naive_rules() -> None:
    rows, _ = shop()
    found = plugin.backtest(as_table(rows), CONTEXT)
    by_name = {metric.name: metric for metric in found.metrics}
    for name in ("ranking of who falls silent (AUC)", "Brier score", "Brier score beside the simple rule"):
        assert by_name[name].is_better, by_name[name]
    slope = by_name["calibration slope"]
    assert slope.low is not None
    assert slope.high is not None
    assert slope.low <= 1 <= slope.high
    assert {by_name[name].unit for name in ("calibration slope", "Brier score")} == {"none"}, "no percentages"
    (curve,) = found.curves
    assert sum(point.n for point in curve.points) == found.n
    assert np.mean([abs(p.said - p.seen) for p in curve.points]) < 0.08


def test_who_is_gone_is_riskier_than_who_is_not() -> None:
    rows, gone = shop()
    chance = said(rows)
    ids = np.array(sorted(chance))
    assert chances.auc(np.array([chance[k]["value"] for k in ids]), gone[ids]).low > 0.8


def test_a_complaint_that_drives_people_away_is_learnt_and_named() -> None:
    rows, _ = shop(2500)
    complained = {r["person"] for r in rows if any(0 < c < 60 for c in r["complaints"])}
    named = [r for k, r in said(rows).items() if k in complained and "complained" in r["reason"]]
    assert len(named) > len(complained) / 2
    twin = json.loads(json.dumps(rows[0])) | {
        "orders": [{"ago": 20.0 * k + 15, "minor": 1000} for k in range(9)]
    }
    calm, upset = twin | {"person": 90_001, "complaints": []}, twin | {"person": 90_002, "complaints": [14.0]}
    found = said([*rows, calm, upset])
    assert found[90_002]["value"] > found[90_001]["value"] + 0.1
    assert found[90_002]["reason"].startswith(
        "Usually orders every 20 days, silent for 15; complained on 16 February"
    )


def test_the_level_follows_last_years_season() -> None:
    """Before the high season fewer will be silent than the newest time could tell."""
    rows, _ = shop(1200, complaints=False, days=760, season=0.95)
    people = histories.read(as_table(rows))
    learnt = silence.learn(people, CONTEXT)
    row = people.buyers(0.0)
    seen = silence.seen_at(people, row, 0.0, learnt.subjects, learnt.typical_minor, 90)
    off = abs(silence.say(learnt, seen).chance.mean() - seen.silent.mean())
    flat = silence.say(
        silence.Learnt.from_json({**learnt.as_json(), "level": float(learnt.weights.levels[0])}), seen
    ).chance
    assert off < abs(flat.mean() - seen.silent.mean())
    assert off < 0.08


@pytest.mark.parametrize(
    "orders",
    [
        [[5.0]],
        [[5.0], [900.0]],
        [[float(k)] for k in range(1, 400)],
        [[-5.0]],
        [[1e9, 3.0], [-1e9, 4.0], [0.5] * 50],
    ],
    ids=["one", "two", "one each", "only later", "absurd"],
)
def test_little_or_absurd_is_scored_without_a_fuss(orders: list[list[float]]) -> None:
    rows = [
        {
            "person": k,
            "currency": "" if k % 2 else "EUR",
            "orders": [{"ago": a, "minor": 10**15 if k % 3 else None} for a in moments_],
            **dict.fromkeys(histories.KINDS),
            "refunds": [1.0, -4.0, 1e8],
            "last_complaint": None,
        }
        for k, moments_ in enumerate(orders)
    ]
    found = said(rows)
    assert set(found) == {k for k, moments_ in enumerate(orders) if max(moments_) > 0}
    for row in found.values():
        assert 0 < row["value"] < 1
        assert row["reason"].endswith(".")
    assert plugin.backtest(as_table(rows), CONTEXT).n == len(found)


def test_a_young_firm_learns_its_rhythm_from_what_there_is() -> None:
    """Half a year of log: weekly and quarterly buyers both stay, and a month's silence says it of the first alone."""

    def log(gap: float, days: int = 150) -> list[dict[str, Any]]:
        rng = np.random.default_rng(2)
        return [
            {
                "person": k,
                "currency": "EUR",
                "orders": [
                    {"ago": float(a), "minor": 100} for a in np.arange(rng.uniform(0, gap), days, gap)
                ],
                **{kind: [] for kind in histories.KINDS},
                "last_complaint": "",
            }
            for k in range(200)
        ]

    def chance(gap: float) -> float:
        silent = log(gap)[0] | {
            "person": 9_999,
            "orders": [{"ago": 30.0 + gap * k, "minor": 100} for k in range(4)],
        }
        return float(said([*log(gap), silent])[9_999]["value"])

    assert chance(7) > 3 * chance(30)


def test_nobody_is_called_dissatisfied_where_nothing_could_show_it() -> None:
    rows, _ = shop(50, complaints=False)
    assert said(rows, "dissatisfaction") == {}


def people_who_told(n: int = 800, seed: int = 4) -> list[dict[str, Any]]:
    """Half were refunded, and answer low four times as often."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        ago = float(rng.uniform(-80, 400))
        refunded = k % 2 == 0
        low = rng.random() < (0.4 if refunded else 0.1)
        rows.append(
            {
                "person": k,
                "currency": "EUR",
                "orders": [{"ago": ago + 10, "minor": 1000}],
                **{kind: [] for kind in histories.KINDS},
                "refunds": [ago + 4] if refunded else [],
                "low_answers" if low else "good_answers": [ago],
                "last_complaint": "",
            }
        )
    return rows


def test_dissatisfaction_is_learnt_from_answers_and_judged_on_later_ones() -> None:
    found = plugin.backtest(as_table(people_who_told()), CONTEXT)
    by_name = {metric.name: metric for metric in found.metrics}
    ranking = by_name["dissatisfaction: ranking of who answers low (AUC)"]
    assert ranking.low is not None
    assert ranking.low > 0.55
    assert by_name["dissatisfaction: Brier score"].is_better
    assert [curve.name for curve in found.curves] == ["dissatisfaction"]
    assert "nobody, or everybody, ordered again" in found.note


def test_a_rating_does_not_foretell_itself() -> None:
    """Were an answer among what is known before it, every low one would be told from every good one."""
    people = histories.read(as_table(people_who_told()))
    asked = displeasure.answers(people, -np.inf, 0.0)
    known = displeasure.seen_at(people, asked.row, asked.at - displeasure.BEFORE_DAYS)
    names = figures.names_of(displeasure.SUBJECTS)
    assert not known[:, names.index("low answers in a year")].any()
    assert not known[:, names.index("last answer was low")].any()


def test_an_answered_complaint_weighs_less_and_the_reason_says_so() -> None:
    base = {
        "currency": "EUR",
        "orders": [{"ago": 40.0, "minor": 100}],
        **{kind: [] for kind in histories.KINDS},
    }
    rows = [
        base | {"person": ANA, "complaints": [30.0], "replies": [28.0], "last_complaint": "late_delivery"},
        base | {"person": BO, "complaints": [30.0], "last_complaint": "late_delivery"},
        base | {"person": CHI, "last_complaint": ""},
        base | {"person": 99, "complaints": [3.0], "last_complaint": ""},
    ]
    found = said(rows, "dissatisfaction")
    assert found[BO]["value"] > found[ANA]["value"] > found[CHI]["value"]
    assert found[BO]["reason"] == "Complained about late delivery on 31 January and got no answer."
    assert found[ANA]["reason"] == "Complained about late delivery on 31 January."
    assert found[99]["reason"] == "Complained on 27 February and got no answer yet."


def test_a_firm_that_records_no_answers_is_not_told_that_it_gave_none() -> None:
    base = {"currency": "EUR", "orders": [], **{kind: [] for kind in histories.KINDS}}
    found = said([base | {"person": ANA, "complaints": [30.0], "last_complaint": ""}], "dissatisfaction")
    assert found[ANA]["reason"] == "Complained on 31 January."


def test_an_unanswered_complaint_is_one_whoever_else_is_scored_with_it() -> None:
    base = {
        "currency": "EUR",
        "orders": [{"ago": 40.0, "minor": 100}],
        **{kind: [] for kind in histories.KINDS},
    }
    upset = base | {"person": ANA, "complaints": [30.0], "last_complaint": ""}
    answered = base | {"person": BO, "complaints": [30.0], "replies": [28.0], "last_complaint": ""}
    both, alone = as_table([upset, answered]), as_table([upset])
    learnt = plugin.fit(both, CONTEXT)
    together = [r for r in plugin.score(learnt, both, CONTEXT).to_pylist() if r["person"] == ANA]
    assert plugin.score(learnt, alone, CONTEXT).to_pylist() == together
    assert all("got no answer" in r["reason"] for r in together)


def test_the_label_is_the_place_in_the_own_rhythm() -> None:
    base = {"currency": "EUR", **{kind: [] for kind in histories.KINDS}, "last_complaint": ""}

    def buyer(person: int, last: float, n: int = 6, gap: float = 20.0) -> dict[str, Any]:
        return base | {"person": person, "orders": [{"ago": last + gap * k, "minor": 1} for k in range(n)]}

    found = said([buyer(1, 10), buyer(2, 40), buyer(3, 60), buyer(4, 10, n=1), buyer(5, 300, n=1)])
    assert [found[k]["label"] for k in range(1, 6)] == ["on rhythm", "late", "overdue", "new", "one order"]


@pytest.mark.shared
def test_on_real_order_lines_it_beats_the_naive_rules(
    shared: Path, tmp_path: Path, home: Path, db: None
) -> None:
    """The whole path of `rapport insights backtest churn --data`, on two sets that differ in everything."""
    lines = [line.split() for line in (shared / "cdnow" / "CDNOW_sample.txt").read_text("ascii").splitlines()]
    cdnow = tmp_path / "cdnow.csv"
    rows = [f"{c},{d[:4]}-{d[4:6]}-{d[6:]},1,{v}" for _, c, d, _, v in lines]
    cdnow.write_text("customer,date,quantity,price\n" + "\n".join(rows) + "\n")
    retail = tmp_path / "retail.parquet"
    duckdb.sql(
        "SELECT CustomerID AS customer_id, InvoiceDate::VARCHAR AS ordered_at, InvoiceNo AS order_id,"
        f" Quantity AS quantity, UnitPrice AS unit_price FROM '{shared / 'online_retail' / 'online_retail.parquet'}'"
        " WHERE CustomerID IS NOT NULL"
    ).write_parquet(str(retail))
    for file, least in ((cdnow, 0.83), (retail, 0.73)):
        metrics = {m["name"]: m for m in services.backtest("churn", file)["metrics"]}
        ranking = metrics["ranking of who falls silent (AUC)"]
        assert ranking["value"] > max(least, ranking["baseline_value"])
        for name in ("Brier score", "Brier score beside the simple rule"):
            assert metrics[name]["value"] < metrics[name]["baseline_value"]
        assert 0.85 < metrics["calibration slope"]["value"] < 1.1
