"""The truth agrees with what the log shows, and the truth about the future with what then happens."""

from __future__ import annotations

import json
import math
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.compute as pc
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from rapport.demo import market
from rapport.demo.tests.conftest import END, Seen
from rapport.kit.errors import NotFound


def test_the_dead_buy_nothing(seen: Seen) -> None:
    assert seen.one("SELECT count(*) FROM person WHERE kind = 'person' AND NOT is_alive") > 200
    assert seen.one("SELECT count(*) FROM orders JOIN person USING (person) WHERE ts > died_at") == 0
    assert (
        seen.one("SELECT count(*) FROM person WHERE is_alive = (died_at IS NOT NULL) AND kind = 'person'")
        == 0
    )
    bought = "SELECT count(*) FROM future JOIN person USING (person) WHERE orders_180d > 0 AND is_alive"
    assert seen.one(f"{bought}") > 300
    assert seen.one(bought.replace("AND is_alive", "AND NOT is_alive")) == 0


def test_the_rate_is_the_one_that_shows(seen: Seen) -> None:
    """Orders after entry, against rate times days lived, for the quick half and the slow half."""
    sql = """
        WITH lived AS (
            SELECT person, orders_per_day AS rate,
                date_diff('second', entered_at, coalesce(died_at, '2026-03-02'::TIMESTAMPTZ)) / 86400 AS days,
                (SELECT count(*) FROM orders o WHERE o.person = p.person AND o.ts > entered_at + INTERVAL 1 MINUTE) AS n
            FROM person p WHERE kind = 'person' AND response IN ('sure_thing', 'lost_cause')
        ), halved AS (SELECT *, ntile(2) OVER (ORDER BY rate) AS half FROM lived)
        SELECT sum(n), sum(rate * days) FROM halved GROUP BY half ORDER BY half
    """
    for n, expected in seen.rows(sql):
        # Counts are close to Poisson; the season moves a part of them past the edges of the span.
        assert abs(n - expected) < 4 * math.sqrt(expected) + 0.03 * expected


def test_the_expectation_is_what_happens_on_average(seen: Seen) -> None:
    for days in (30, 90, 180):
        ((expected, n, money, paid),) = seen.rows(
            f"SELECT sum(expected_orders_{days}d), sum(orders_{days}d), sum(expected_spend_{days}d_minor),"
            f" sum(spend_{days}d_minor) FROM person JOIN future USING (person)"
        )
        assert n == pytest.approx(expected, abs=4 * math.sqrt(expected))
        assert paid == pytest.approx(money, rel=0.15)
    # And it ranks: those expected to buy most buy most.
    ((quick, slow),) = seen.rows(
        "WITH r AS (SELECT orders_180d AS n, ntile(5) OVER (ORDER BY expected_orders_180d) AS fifth"
        " FROM person JOIN future USING (person) WHERE is_alive)"
        " SELECT avg(n) FILTER (fifth = 5), avg(n) FILTER (fifth = 1) FROM r"
    )
    assert quick > 4 * slow


def test_the_next_category_beats_the_most_common_one(seen: Seen) -> None:
    ((right, common),) = seen.rows(
        "WITH b AS (SELECT (f.next_category = p.next_category)::INT AS good, f.next_category AS c"
        " FROM future f JOIN person p USING (person) WHERE f.next_category IS NOT NULL)"
        " SELECT (SELECT avg(good) FROM b), (SELECT max(n) / sum(n) FROM (SELECT count(*) AS n FROM b GROUP BY c))"
    )
    assert right > 1.5 * common


def test_seasons_show(seen: Seen) -> None:
    def share(category: str, months: str) -> float:
        return seen.one(
            f"SELECT avg((month(ts) IN ({months}))::INT) FROM orders"
            f" WHERE (properties->>'$.items[0].category') = '{category}'"
        )

    assert share("winter_tyres", "9, 10, 11, 12") > 0.7
    assert share("summer_tyres", "3, 4, 5, 6") > 0.7
    assert share("wipers", "3, 4") > 0.3
    assert share("engine_oil", "3, 4") < 0.25


def test_till_hours_and_weekdays_show(seen: Seen) -> None:
    assert seen.one("SELECT count(*) FROM orders WHERE channel = 'shop' AND hour(ts) BETWEEN 21 AND 22") == 0
    ((saturday, sunday),) = seen.rows(
        "SELECT count(*) FILTER (isodow(ts) = 6), count(*) FILTER (isodow(ts) = 7) FROM orders"
    )
    assert saturday > 1.3 * sunday


def test_oil_comes_in_a_cycle(seen: Seen) -> None:
    """Those who buy oil again and again do so at steadier intervals than a Poisson process would give."""
    sql = """
        WITH oil AS (
            SELECT person, ts, date_diff('day', lag(ts) OVER (PARTITION BY person ORDER BY ts), ts) AS days FROM orders
            WHERE (properties->>'$.items[0].category') = 'engine_oil'
        )
        SELECT median(cv) FROM (SELECT stddev(days) / avg(days) AS cv FROM oil GROUP BY person HAVING count(days) >= 3)
    """
    assert seen.one(sql) < 0.75


def test_late_parcels_drive_people_away(seen: Seen) -> None:
    assert seen.one("SELECT count(*) FROM person WHERE churn = 'bad_experience'") > 30
    # Of those who complain, far more leave within the month than the own reasons of anybody would explain.
    ((left, own_reasons),) = seen.rows(
        "SELECT avg(coalesce(died_at BETWEEN e.ts - INTERVAL 5 DAY AND e.ts + INTERVAL 25 DAY, false)::INT),"
        " 30 * avg(hazard_per_day) FROM event e JOIN text USING (message_id) JOIN person USING (person)"
        " WHERE e.name = 'complaint_raised' AND e.ts < '2026-01-20'"
    )
    assert left > 3 * own_reasons


def test_refunds_give_back_what_an_order_cost(seen: Seen) -> None:
    unmatched = """
        SELECT count(*) FROM event r LEFT JOIN event o
            ON o.name = 'order_placed' AND (o.properties->>'order_id') = (r.properties->>'order_id')
        WHERE r.name = 'order_refunded'
            AND (o.ts IS NULL OR o.ts >= r.ts OR o.value_minor <> -r.value_minor OR o.identifier <> r.identifier)
    """
    assert seen.one("SELECT count(*) FROM event WHERE name = 'order_refunded'") > 100
    assert seen.one(unmatched) == 0


def test_an_order_costs_what_its_lines_cost(seen: Seen) -> None:
    wrong = """
        WITH line AS (
            SELECT message_id, value_minor, CAST((properties->>'n_items') AS BIGINT) AS n,
                unnest(CAST(json_extract(properties, '$.items[*].quantity') AS BIGINT[])) AS quantity,
                unnest(CAST(json_extract(properties, '$.items[*].unit_price_minor') AS BIGINT[])) AS unit_minor
            FROM event WHERE name = 'order_placed'
        )
        SELECT count(*) FROM (
            SELECT 1 FROM line GROUP BY message_id, value_minor, n
            HAVING sum(quantity * unit_minor) <> value_minor OR sum(quantity) <> n
        )
    """
    assert seen.one(wrong) == 0


def test_the_held_out_get_no_mailing_and_the_others_are_moved(seen: Seen) -> None:
    sent = (
        "event e JOIN single s USING (identifier) JOIN person p USING (person) WHERE e.name = 'message_sent'"
        " AND (e.properties->>'$.campaign') IS NOT NULL"
    )
    assert seen.one(f"SELECT count(*) FROM {sent}") > 5000
    assert seen.one(f"SELECT count(*) FROM {sent} AND is_held_out") == 0
    assert seen.one(f"SELECT count(*) FROM {sent} AND NOT agrees_to_mail") == 0
    signs = dict(
        seen.rows(
            "SELECT response, sign(avg(message_effect_14d)) FROM person GROUP BY 1 HAVING response IS NOT NULL"
        )
    )
    assert signs == {"persuadable": 1, "sure_thing": 0, "lost_cause": 0, "sleeping_dog": -1}


def test_an_unsubscribed_person_gets_no_more(seen: Seen) -> None:
    after = """
        WITH stop AS (
            SELECT person, min(ts) AS at FROM event JOIN single USING (identifier)
            WHERE name = 'message_unsubscribed' GROUP BY 1
        )
        SELECT count(*) FROM event e JOIN single USING (identifier) JOIN stop USING (person)
        WHERE e.name = 'message_sent' AND (e.properties->>'$.campaign') IS NOT NULL AND e.ts > stop.at + INTERVAL 7 DAY
    """
    assert seen.one("SELECT count(*) FROM event WHERE name = 'message_unsubscribed'") > 40
    assert seen.one(after) == 0


def test_an_answer_comes_after_what_it_answers_and_not_to_everybody(seen: Seen) -> None:
    pairs = """
        FROM event c LEFT JOIN event a ON a.name = 'message_sent'
            AND (a.properties->>'$.conversation') = (c.properties->>'$.conversation')
        WHERE c.name IN ('complaint_raised', 'message_received') AND c.ts < '2026-02-01'
    """
    ((n, answered, before, quick),) = seen.rows(
        "SELECT count(*), count(a.ts) / count(*), count(*) FILTER (a.ts <= c.ts),"
        f" median(date_diff('minute', c.ts, a.ts)) / 60 {pairs}"
    )
    assert n > 300
    assert answered == pytest.approx(0.75, abs=4 * math.sqrt(0.75 * 0.25 / n))
    assert before == 0
    assert 8 < quick < 25
    assert seen.one(f"SELECT count(*) {pairs} AND a.identifier <> c.identifier") == 0


def test_an_answer_keeps_some_of_those_who_would_leave(seen: Seen) -> None:
    """Nobody is kept without an answer, as many are kept as the probabilities say, and the kept stay."""
    assert (
        seen.one("SELECT count(*) FROM complaint WHERE is_kept AND (answered_at IS NULL OR NOT would_leave)")
        == 0
    )
    ((n, kept, said, spread),) = seen.rows(
        "SELECT count(*), sum(is_kept::INT), sum(keep_probability), sqrt(sum(keep_probability * (1 - keep_probability)))"
        " FROM complaint WHERE would_leave"
    )
    assert n > 20
    assert abs(kept - said) < 4 * spread
    assert seen.one("SELECT count(*) FROM complaint WHERE NOT would_leave") > n
    # Of the kept, next to nobody ends by a bad experience; of those who would leave and were not kept, all end.
    ((lost, kept_and_lost),) = seen.rows(
        "SELECT avg((NOT is_alive)::INT) FILTER (NOT is_kept), avg((churn = 'bad_experience')::INT) FILTER (is_kept)"
        " FROM complaint JOIN person USING (person) WHERE would_leave AND complaint.at < '2026-02-20'"
    )
    assert lost == 1.0
    assert kept_and_lost < 0.5


def test_every_identifier_belongs_to_somebody(seen: Seen) -> None:
    named = "SELECT identifier FROM event UNION SELECT unnest(also) FROM event"
    strangers = f"SELECT count(*) FROM ({named}) ANTI JOIN owner USING (identifier)"
    assert seen.one(strangers) == 0
    assert seen.one("SELECT max(n) FROM (SELECT count(*) AS n FROM owner GROUP BY identifier)") == 2


def test_a_household_shares_a_device_that_both_log_in_from(seen: Seen) -> None:
    both = """
        WITH login AS (
            SELECT identifier, unnest(also) AS device FROM event WHERE name = 'person_identified' AND evidence = 'login'
        )
        SELECT count(*) FROM (
            SELECT device FROM login JOIN single USING (identifier) GROUP BY device HAVING count(DISTINCT person) = 2
        )
    """
    assert seen.one(both) > 5


def test_what_is_joined_is_one_person_or_one_household(seen: Seen) -> None:
    """Joining everything that was said to be one leaves doubles apart and joins strangers only by a device."""
    edges = seen.rows("SELECT DISTINCT identifier, unnest(also) FROM event")
    names = {name: at for at, name in enumerate({name for edge in edges for name in edge})}
    a, b = (np.array([names[edge[side]] for edge in edges]) for side in (0, 1))
    _, component = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(len(names),) * 2))
    owners = {str(i): p for i, p in seen.rows("SELECT identifier, min(person) FROM owner GROUP BY 1")}
    home = dict(seen.rows("SELECT person, coalesce(household, person) FROM person"))
    homes: dict[int, set[object]] = {}
    for name, at in names.items():
        homes.setdefault(int(component[at]), set()).add(home[owners[str(name)]])
    assert all(len(found) == 1 for found in homes.values())
    together, apart = 0, 0
    for (identifiers,) in seen.rows("SELECT identifiers FROM person WHERE is_double AND NOT shares_device"):
        assert isinstance(identifiers, list)
        known = {int(component[names[i]]) for i in identifiers if i.startswith("customer:") and i in names}
        together, apart = together + (len(known) == 1), apart + (len(known) == 2)
    assert apart > 20
    assert together < 0.2 * apart  # those of whom one id was never joined to anything


def test_doubles_resemble_each_other_and_differ(seen: Seen) -> None:
    seen.con.execute(
        "CREATE OR REPLACE TEMP TABLE told AS SELECT person, identifier, properties->>'$.traits.name' AS name,"
        " properties->>'$.traits.city' AS city FROM event JOIN single USING (identifier)"
        " WHERE name = 'person_identified' AND (properties->>'$.traits.name') IS NOT NULL"
    )
    ((n, same, city),) = seen.rows(
        "SELECT count(*), avg((a.name = b.name)::INT), avg((a.city = b.city)::INT) FROM told a JOIN told b USING (person)"
        " WHERE a.identifier LIKE 'customer:C%' AND b.identifier LIKE 'customer:T%'"
    )
    assert n > 30
    assert 0.1 < same < 0.7
    assert city == 1.0


def test_participation_is_as_skewed_as_networks_are(seen: Seen) -> None:
    shares = dict(seen.rows("SELECT level, count(*) / sum(count(*)) OVER () FROM participation GROUP BY 1"))
    assert shares["lurker"] > 0.6
    assert shares["leader"] < 0.1
    posted = dict(
        seen.rows(
            "SELECT level, avg(n) FROM (SELECT q.identifier, q.level, count(e.name) AS n FROM participation q"
            " LEFT JOIN event e ON e.identifier = q.identifier AND e.name = 'post_published'"
            " WHERE network <> 'community' GROUP BY ALL) GROUP BY 1"
        )
    )
    assert posted["leader"] > 3 * posted["contributor"] > 9 * posted["lurker"]


def test_the_files_say_what_they_hold(tmp_path: Path) -> None:
    market.truth(300, 5, END).write_truth(tmp_path / "truth")
    described = json.loads((tmp_path / "truth" / "README.json").read_text())
    assert described["market"]["n_people"] == 300
    assert {f.name for f in (tmp_path / "truth").glob("*.parquet")} == described["files"].keys()
    for name, file in described["files"].items():
        columns = duckdb.sql(f"DESCRIBE SELECT * FROM '{tmp_path / 'truth' / name}'").fetchall()
        assert [c[0] for c in columns] == list(file["columns"])
        assert file["grain"].startswith("one row per ")


def test_tables_can_be_had_without_files() -> None:
    truth = market.truth(300, 5, END)
    kinds = pc.value_counts(truth.table("person")["kind"].cast("string")).to_pylist()
    assert truth.table("future").num_rows == next(k["counts"] for k in kinds if k["values"] == "person")
    with pytest.raises(NotFound, match="persona"):
        truth.table("persona")


def test_promises_are_kept_less_where_the_world_says_so() -> None:
    rows = {r["promise"]: r for r in market.truth(2000, 11, END).table("promise").to_pylist()}
    assert rows["delivery_FR"]["kept_share"] < rows["delivery_DE"]["kept_share"] - 0.05
    assert rows["delivery_FR"]["gap"] == pytest.approx(0.95 - rows["delivery_FR"]["kept_share"])
    assert rows["delivery_FR"]["mean_days"] > 2
    assert rows["fit_DE"]["mean_days"] is None


def test_an_incident_shows_where_and_when_it_was(seen: Seen) -> None:
    """During the courier strike in France parcels are late there, and people say so."""
    strike = market.market(5, 1, END).described()["incidents"]["courier_strike"]
    inside = f"t.at BETWEEN '{strike['from']}' AND TIMESTAMPTZ '{strike['until']}' + INTERVAL 10 DAY"
    ((during, otherwise),) = seen.rows(
        "SELECT count(*) FILTER (p.country = 'FR') / count(*), (SELECT avg((country = 'FR')::INT) FROM person)"
        " FROM text t JOIN person p USING (person) WHERE aspect = 'delivery' AND aspect_polarity = 'negative'"
        f" AND {inside}"
    )
    assert during > 1.6 * otherwise


def test_mailings_have_true_effects() -> None:
    table = market.truth(2000, 11, END).table("campaign")
    totals = {name: sum(table[name].to_pylist()) for name in table.column_names if name.startswith("n_")}
    assert totals["n_sent"] < totals["n_eligible"]
    assert totals["n_orders_caused"] > 100
    assert totals["n_orders_prevented"] > 20
    assert totals["n_sent"] > totals["n_persuadable"] + totals["n_sleeping_dog"] > 0


def test_a_ring_says_much_the_same_at_much_the_same_time(seen: Seen) -> None:
    """Every account speaks, is run by a public author, and within a burst a ring copies itself."""
    assert seen.one("SELECT count(*) FROM account") >= 12
    assert seen.one("SELECT count(*) FROM account ANTI JOIN event USING (identifier)") == 0
    assert (
        seen.one("SELECT count(*) FROM account a JOIN person p USING (person) WHERE p.kind <> 'author'") == 0
    )
    ((longest, fewest),) = seen.rows(
        "WITH burst AS (SELECT a.ring, e.ts, date_diff('hour', lag(e.ts) OVER (PARTITION BY a.ring ORDER BY e.ts), e.ts)"
        " AS gap FROM event e JOIN account a USING (identifier)),"
        " numbered AS (SELECT ring, ts, sum((gap > 72)::INT) OVER (PARTITION BY ring ORDER BY ts) AS k FROM burst)"
        " SELECT max(date_diff('hour', low, high)), min(n) FROM"
        " (SELECT min(ts) AS low, max(ts) AS high, count(*) AS n FROM numbered GROUP BY ring, coalesce(k, 0))"
    )
    assert longest <= 31
    assert fewest >= 1
    pushed = "text t JOIN event e USING (message_id) JOIN account a USING (identifier)"
    assert seen.one(f"SELECT count(*) FROM {pushed} WHERE NOT t.is_pushed") == 0
    assert (
        seen.one(
            "SELECT count(*) FROM text t JOIN event USING (message_id) ANTI JOIN account USING (identifier)"
            " WHERE t.is_pushed"
        )
        == 0
    )
    assert (
        seen.one(f"SELECT count(*) FROM {pushed} WHERE (t.sentiment = 'positive') <> (a.aim = 'praise')") == 0
    )
