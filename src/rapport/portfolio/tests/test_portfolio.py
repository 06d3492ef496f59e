"""The policy, who stands where, what would change; and that nothing of it goes by who somebody is."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rapport.consent import services as consent
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.people import selectors as people
from rapport.portfolio import rules, selectors, services
from rapport.portfolio.models import PolicyVersion
from rapport.portfolio.rules import Costs, Matter, Policy
from rapport.portfolio.tests.conftest import (
    NOW,
    Say,
    answer,
    complaint,
    identified,
    letter,
    order,
    row,
    scored,
)
from rapport.staff import services as staff

ALICE = "alice@example.com"


def test_a_policy_begins_off_and_is_switched_on_only_after_it_was_looked_at(market: None) -> None:
    assert not selectors.policy().is_on
    assert selectors.policy().version == 0
    set_ = services.change(replace(Policy(), minutes_per_day=120.0), by=ALICE, why="two hours a day")
    assert (set_.minutes_per_day, set_.changed_by, set_.is_on) == (120.0, ALICE, False)
    with pytest.raises(Conflict, match="looked at"):
        services.switch_on(by=ALICE)
    services.simulate(Policy(), by=ALICE)  # another policy than the one in force
    with pytest.raises(Conflict, match="looked at"):
        services.switch_on(by=ALICE)
    seen = services.simulate(selectors.policy(), by=ALICE)
    on = services.switch_on(by=ALICE, why="try it")
    assert on.is_on
    assert PolicyVersion.objects.get(pk=on.version).simulation == seen.id
    with pytest.raises(Conflict, match="on already"):
        services.switch_on(by=ALICE)
    changed = services.change(replace(on, longest_wait_hours=48.0), by="bob@example.com")
    assert changed.is_on  # a change does not switch it off unseen
    off = services.switch_off(by=ALICE)
    assert not off.is_on
    with pytest.raises(Conflict, match="off already"):
        services.switch_off(by=ALICE)
    kept = selectors.history()
    assert [p.version for p in kept] == sorted((p.version for p in kept), reverse=True)
    assert [(p.changed_by, p.is_on) for p in kept] == [
        (ALICE, False), ("bob@example.com", True), (ALICE, True), (ALICE, False),
    ]  # fmt: skip


def test_a_change_needs_a_name_and_a_policy_that_can_be(db: None) -> None:
    with pytest.raises(Invalid, match="who makes it"):
        services.change(Policy(), by="")
    with pytest.raises(Invalid, match="held back"):
        services.change(replace(Policy(), floor_ratio=2), by=ALICE)
    assert selectors.history() == []


def test_without_a_contact_there_is_nothing_to_try_it_on(say: Say) -> None:
    say(order("o1", "ana", 10, 1000))
    with pytest.raises(Invalid, match="no complaint and no message"):
        services.simulate(Policy(), by=ALICE)


def test_people_stand_by_worth_against_cost(market: None) -> None:
    scored()
    board = selectors.board()
    assert (board.currency, len(board)) == ("EUR", 40)
    corners = selectors.corners(board)
    assert {c.name for c in corners} == {"care", "steady", "gain", "quiet"}
    assert sum(c.n for c in corners) == 40
    assert sum(c.worth_ratio for c in corners) == pytest.approx(1)
    assert sum(c.cost_ratio for c in corners) == pytest.approx(1)
    richest, poorest = people.person_id("customer:c39"), people.person_id("customer:c1")
    stands = selectors.standings([richest, poorest, 10**9])
    assert set(stands) == {richest, poorest}
    assert stands[richest].tier == "A"
    assert stands[poorest].tier == "C"
    assert stands[richest].worth_ratio > 1 > stands[poorest].worth_ratio
    panel = selectors.standing(richest)
    assert [s.name for s in panel] == list(selectors.NAMES)
    assert all(s.reason.endswith(".") for s in panel)
    with pytest.raises(NotFound, match="JPY"):
        selectors.board("JPY")


def test_the_firms_own_minutes_reach_the_model(market: None) -> None:
    who = people.person_id("customer:c3")
    scored()
    before = {s.name: s.value for s in selectors.standing(who)}["cost_to_serve_minor"]
    assert before == pytest.approx((15 + 10) * 60 + 500 + 0.2 * 1000)
    costs = Costs(
        complaint_minutes=30.0,
        refund_minutes=0.0,
        minute_rate_minor=100.0,
        return_cost_minor=0.0,
        refund_loss_ratio=0.0,
    )
    services.change(replace(Policy(), costs=costs), by=ALICE)
    scored()
    after = {s.name: s.value for s in selectors.standing(who)}["cost_to_serve_minor"]
    assert after == pytest.approx(30 * 100)


def test_a_simulation_stands_beside_what_truly_happened(market: None) -> None:
    scored()
    found = services.simulate(replace(Policy(), minutes_per_day=60.0), by=ALICE)
    result = found.result
    assert result["n"] == 14
    assert result["seen"]["n"] == 7
    assert result["seen"]["n_unanswered"] == 7
    assert result["seen"]["median_hours"] == pytest.approx(12)
    assert sum(w["n"] for w in result["present"]["by_tier"].values()) == 14
    assert result["policy"]["everybody"]["beyond_ratio"] <= result["present"]["everybody"]["beyond_ratio"]
    (money,) = result["outcomes"]
    assert money["currency"] == "EUR"
    assert money["policy_minor"] >= 0
    assert selectors.simulation_of(found.policy) == found
    assert selectors.simulations()[0].made_by == ALICE
    # What is kept are figures: nobody's number stands in it.
    assert "person" not in found.result


def test_who_waits_is_answered_in_the_order_of_the_policy(market: None, say: Say) -> None:
    scored()
    say(
        letter("w1", "c39", 0.02),
        letter("w2", "c1", 0.1),
        complaint("w3", "c2", 0.01, reason="slow refund"),
        complaint("w4", "c4", 0.01, reason="fire hazard"),
        complaint("w5", "c5", 0.3),
        answer("w6", "c5", 0.2, to="w5"),
        identified("w7", "c7", extra_help=True),
        letter("w8", "c7", 0.01),
        identified("w9", "c8", origin="inferred", extra_help=True),
        letter("w10", "c8", 0.5),
    )
    off = selectors.queue()
    whys = [t.why for t in off.turns]
    assert whys == ["safety", "refund", "vulnerable", "turn", "turn", "turn"]
    assert [m.person for m in off.matters][3:] == [
        people.person_id(f"customer:{c}") for c in ("c8", "c1", "c39")
    ]
    on = selectors.queue(replace(selectors.policy(), is_on=True))
    assert [t.why for t in on.turns][:3] == ["safety", "refund", "vulnerable"]
    assert on.matters[3].person == people.person_id("customer:c39")
    assert on.turns[3].why == "saving"
    assert on.short_minutes == 0
    assert {m.key for m in on.matters} == {m.key for m in off.matters}
    assert {m.channel for m in on.matters} == {"email", "web"}
    told = selectors.priority(people.person_id("customer:c1"), Matter("new", NOW - dt.timedelta(hours=20)))
    assert told.rank == 4  # behind what comes first, and before c8, who has waited twelve hours
    assert told.reason == "Its turn, as people came."
    # What a matter claims of its person is looked up, and not believed.
    c1 = people.person_id("customer:c1")
    boast = Matter("x", NOW, person=c1, standing=rules.Standing(tier="A", worth_ratio=99))
    other = Matter("y", NOW - dt.timedelta(minutes=1), person=people.person_id("customer:c39"))
    services.simulate(selectors.policy(), by=ALICE)
    services.switch_on(by=ALICE)
    assert [t.key for t in selectors.priorities([boast, other])] == ["y", "x"]


TRAITS: dict[str, list[dict[str, Any]]] = {
    "one": [
        {
            "name": "Ana Ruiz",
            "country": "ES",
            "language": "es",
            "birth_date": "1950-01-01",
            "gender": "f",
            "religion": "x",
        },
        {"name": "Bo Li", "country": "KR", "language": "ko", "birth_date": "2001-01-01", "gender": "m"},
    ],
    "other": [
        {"name": "Chi Okafor", "country": "DE", "language": "de", "birth_date": "1999-09-09", "gender": "m"},
        {
            "name": "Ana Ruiz",
            "country": "FR",
            "language": "fr",
            "birth_date": "1931-05-05",
            "gender": "x",
            "age": 94,
        },
    ],
}


def test_who_somebody_is_moves_no_score_and_no_place(market: None, say: Say) -> None:
    """The same behaviour under any name, country, language, age and gender: the same scores and the same order."""
    found = []
    for k, (_, traits) in enumerate(TRAITS.items()):
        say(
            *(identified(f"t{k}-{n}", f"c{n}", 400 - k, **traits[n % 2]) for n in range(40)),
            *([letter(f"q{n}", f"c{n}", 0.01 + 0.01 * (n % 7)) for n in range(0, 40, 4)] if k == 0 else []),
        )
        scored()
        queue = selectors.queue(replace(selectors.policy(), is_on=True))
        assert len(queue.turns) == 10
        said = {
            (n, s.name): (s.value, s.unit, s.low, s.high, s.label, s.reason)
            for n in range(40)
            for s in selectors.standing(people.person_id(f"customer:c{n}"))
        }
        found.append((said, [(t.key, t.why, t.reason) for t in queue.turns]))
        assert people.person("customer:c0").country == traits[0]["country"]
    assert found[0] == found[1]


def test_the_queries_read_nothing_of_who_somebody_is() -> None:
    from rapport.kit import query

    texts = [
        query.load("rapport.plugins.insights.portfolio", "portfolio").text,
        query.load("rapport.portfolio", "told").text,
        query.load("rapport.portfolio", "board").text,
    ]
    for text in texts:
        body = "\n".join(line for line in text.lower().splitlines() if not line.strip().startswith("--"))
        words = set(re.findall(r"[a-z]+", body))
        assert "person" in words
        assert not words & {
            "country", "language", "lang", "trait", "traits", "birth", "birthday", "gender", "sex", "age", "name_of",
            "display", "postcode", "city", "religion", "nationality",
        }  # fmt: skip


def test_whoever_refuses_estimates_is_answered_like_all_others(market: None, say: Say) -> None:
    consent.deny("customer:c39", "profiling", how="staff")
    scored()
    say(letter("w1", "c39", 0.1), letter("w2", "c38", 0.05))
    queue = selectors.queue(replace(selectors.policy(), is_on=True))
    by_person = {m.person: m for m in queue.matters}
    refuser = people.person_id("customer:c39")
    assert by_person[refuser].standing == rules.Standing()
    assert selectors.standing(refuser) == ()
    late = selectors.queue(replace(selectors.policy(), is_on=True), now=NOW + dt.timedelta(hours=23))
    assert late.matters[0].person == refuser  # before the firm's maximum is over


def test_a_person_with_only_a_complaint_has_a_standing(say: Say) -> None:
    say(complaint("k1", "ana", 5), row("p1", "page_viewed", "customer:bo", 5))
    scored()
    assert len(selectors.board()) == 1
    assert selectors.standings([people.person_id("customer:ana")])
    assert selectors.standing(people.person_id("customer:bo")) == ()


def test_whoever_refuses_after_the_model_ran_leaves_the_board_at_once(market: None) -> None:
    scored()
    refuser, other = people.person_id("customer:c39"), people.person_id("customer:c38")
    assert refuser in selectors.board().person
    consent.deny("customer:c39", "profiling", how="staff")
    assert refuser not in selectors.board().person
    assert set(selectors.standings([refuser, other])) == {other}


@pytest.mark.parametrize(
    ("word", "reason", "first"),
    [
        ("slow refund", "slow_refund", "refund"),
        ("slow-refund", "Slow refund!", "refund"),
        ("Rückruf", "rückruf-aktion", "refund"),
        ("fire", "misfired", ""),
        ("fire", "fired", ""),
        ("-", "late", ""),
    ],
)
def test_reasons_and_words_are_compared_by_whole_words(word: str, reason: str, first: str) -> None:
    policy = replace(Policy(), safety_words=("injury",), refund_words=(word,))
    assert selectors.first_of("complaint_raised", reason, False, policy) == first


def test_the_queue_and_the_simulation_value_a_minute_alike(market: None) -> None:
    from rapport.portfolio.rules.queue import per_minute
    from rapport.portfolio.selectors.simulations import past_matters

    consent.deny("customer:c39", "profiling", how="staff")
    scored()
    past = past_matters(Policy(), NOW - dt.timedelta(days=365), NOW, 100).matters
    known = selectors.standings(past.person.tolist())
    ratios = [known.get(int(p), rules.Standing()).worth_ratio for p in past.person]
    assert past.worth.tolist() == per_minute(np.array(ratios), past.minutes, Policy()).tolist()
    of_refuser = past.worth[past.person == people.person_id("customer:c39")]
    assert of_refuser == pytest.approx([8 / 15])  # the mean, for a complaint


def test_the_answered_push_nobody_who_waits_out_and_what_comes_first_is_never_cut(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.portfolio.selectors import queues

    monkeypatch.setattr(queues, "WAITING_MOST", 2)
    say(
        letter("w0", "c0", 3),
        answer("a0", "c0", 2.9, to="w0"),
        letter("w1", "c1", 2),
        answer("a1", "c1", 1.9, to="w1"),
        letter("w2", "c2", 1),
        letter("w3", "c3", 0.9),
        complaint("w4", "c4", 0.1, reason="fire"),
    )
    waiting = [people.person_id(f"customer:{c}") for c in ("c4", "c2")]
    assert [m.person for m in selectors.queue().matters] == waiting


def test_who_may_wait_forty_days_is_not_lost_after_thirty(say: Say) -> None:
    say(letter("w1", "ana", 35))
    assert selectors.queue().matters == ()
    patient = replace(selectors.policy(), longest_wait_hours=40 * 24.0)
    assert [m.person for m in selectors.queue(patient).matters] == [people.person_id("customer:ana")]


def test_the_model_is_told_in_which_currency_the_firms_figures_are(db: None) -> None:
    assert selectors.parameters() == {"currency": ""}
    staff.create_owner(
        name="Alice",
        email=ALICE,
        password="a long enough one 7",
        organisation="Firm",
        currency="JPY",
        timezone="UTC",
        language="en",
    )
    services.change(Policy(), by=ALICE)
    assert selectors.parameters()["currency"] == "JPY"
