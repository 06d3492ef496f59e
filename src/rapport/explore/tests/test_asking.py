from __future__ import annotations

import dataclasses
import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from rapport.consent import services as consent
from rapport.events import lake
from rapport.explore import selectors, services
from rapport.explore.models import Kept, Saved
from rapport.explore.rules import answers, compiling, parsing
from rapport.explore.rules.answers import Answer, Number, Reached, Walked
from rapport.explore.rules.question import Cohorts, Figures, Question
from rapport.explore.rules.ways import Page
from rapport.explore.services import asking, running, saving
from rapport.explore.tests.conftest import ANA, BO, NOON, OTHERS, Say, ordered, row, told
from rapport.kit import clock, home
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from rapport.segments import services as segment_services

DAYS = {"last": 30, "unit": "day"}


def asked(**given: Any) -> Question:
    return parsing.parse({"period": DAYS, **given})


def total(answer: Answer) -> Number:
    (found,) = [r for r in answer.rows if isinstance(r, Number) and r.groups is None and r.bucket is None]
    return found


def grouped(answer: Answer) -> dict[str, int | None]:
    return {r.groups[0]: r.top for r in answer.rows if isinstance(r, Number) and r.groups}


def test_revenue_and_who_ordered_before(shop: Say) -> None:
    revenue = services.ask(asked(measures=["revenue"], by=["channel"]), by="alice")
    assert total(revenue).top == 2_500 + 700 + 8 * 1_100
    assert grouped(revenue) == {"app": 2_500, "shop": 700 + 8 * 1_100}
    repeat = total(services.ask(asked(measures=["repeat_share"]), by="alice"))
    assert (repeat.top, repeat.over) == (1, 10)
    assert not revenue.reads_people
    assert revenue.first_day == dt.date(2026, 1, 31)


def test_whoever_refuses_analytics_is_left_out_where_people_are_told_apart(shop: Say) -> None:
    question = asked(measures=["people"], by=["person_country"], period={"last": 3, "unit": "month"})
    whole = services.ask(question, by="alice")
    assert (total(whole).top, whole.n_left_out) == (11, 0)
    consent.deny(OTHERS[0], "analytics", how="preference_page")
    shop()
    answer = services.ask(question, by="alice")
    assert (total(answer).top, answer.n_left_out) == (10, 1)
    events = services.ask(asked(measures=["orders"]), by="alice")
    assert total(events).top == 10  # what happened to nobody in particular is counted still
    behind = services.behind(
        as_figures(asked(measures=["orders"])), 0, compiling.Cell(), by="alice", limit=50
    )
    assert len(behind) == 9
    assert behind[0][4] == 9


def test_a_purpose_that_is_off_is_read_for_by_nobody(shop: Say) -> None:
    from rapport.consent import selectors as defined

    chosen = next(p for p in defined.purposes() if p.key == "analytics")
    consent.change_purpose(
        "analytics",
        name=chosen.name,
        meaning=chosen.meaning,
        channels=chosen.channels,
        expires_days=chosen.expires_days,
        is_active=False,
    )
    with pytest.raises(Denied):
        services.ask(asked(measures=["people"]), by="alice")
    assert total(services.ask(asked(measures=["orders"]), by="alice")).top == 10


def test_what_is_about_fewer_than_five_is_not_shown(shop: Say) -> None:
    answer = services.ask(asked(measures=["orders"], by=["trait:plan"]), by="alice")
    assert answer.hides_few
    assert grouped(answer) == {"gold": 9, "blue": None}
    hidden = [r for r in answer.rows if isinstance(r, Number) and r.is_hidden]
    assert [r.groups for r in hidden] == [("blue",)]
    plain = services.ask(asked(measures=["orders"], by=["channel"]), by="alice")
    assert grouped(plain) == {"app": 1, "shop": 9}


def test_the_same_question_over_the_same_log_is_asked_once(
    shop: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = asked(measures=["orders"])
    first = services.ask(question, by="alice")
    with monkeypatch.context() as patch:
        patch.setattr(asking, "ready", None)  # it may not be needed
        assert services.ask(question, by="bob") == first
    shop(ordered(BO, 1))
    assert total(services.ask(question, by="alice")).top == 11
    assert answers.from_json(json.loads(json.dumps(answers.as_json(first)))) == first


def test_a_question_under_way_can_be_watched_and_stopped(shop: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()
    endless = dataclasses.replace(
        asking.compiled(asked(measures=["orders"])),
        sql="SELECT count(*) FROM range(100000000000) AS r(i) WHERE hash(i) = 1",
        values={},
    )
    prepared = asking.ready(asked(measures=["orders"]), by="alice")

    def slow(question: Question, *, by: str, file: Path) -> asking.Ready:
        begun.set()
        return dataclasses.replace(prepared, compiled=endless)

    monkeypatch.setattr(asking, "ready", slow)
    look = services.begin(asked(measures=["orders"]), by="alice")
    assert begun.is_set()
    assert look.state in ("waiting", "running")
    again = services.begin(asked(measures=["orders"]), by="bob")
    assert again.key == look.key  # who asks the same joins in
    services.stop(look.key)
    ended = settled(look.key)
    assert ended.state == "failed"
    assert "stopped" in ended.message


def settled(key: str) -> running.Look:
    until_s = clock.monotonic_s() + 30
    look = services.look(key)
    while look.state in ("running", "waiting") and clock.monotonic_s() < until_s:
        clock.sleep(0.02)
        look = services.look(key)
    return look


def test_a_question_in_a_thread_comes_to_the_same(shop: Say) -> None:
    question = asked(measures=["people", "revenue"], by=["person_country"])
    look = services.begin(question, by="alice")
    done = settled(look.key)
    assert done.answer is not None
    assert done.answer.rows == services.ask(question, by="alice").rows
    assert services.look("0" * 32).state == "gone"


def test_time_and_numbers_have_a_limit(shop: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    con = lake.connect()
    endless = dataclasses.replace(
        asking.compiled(asked(measures=["orders"])),
        sql="SELECT count(*) FROM range(100000000000) AS r(i) WHERE hash(i) = 1",
        values={},
    )
    with pytest.raises(Unavailable) as late:
        asking.fetched(con, endless, limit_s=0.2)
    assert "longer than 0.2 seconds" in late.value.message
    many = dataclasses.replace(endless, sql="SELECT * FROM range(60000)")
    with pytest.raises(Invalid) as much:
        asking.fetched(con, many, limit_s=20)
    assert "more than 50,000 numbers" in much.value.message
    con.close()


def test_whoever_refuses_a_segments_own_purpose_is_no_longer_counted_in_it(shop: Say) -> None:
    rule = {"event": "order_placed", "window": {"last_days": 90}}
    segment_services.create("Buyers", rule, by="alice", key="buyers")
    segment_services.refresh()
    question = asked(measures=["orders"], segment="buyers")
    assert total(services.ask(question, by="alice")).top == 10
    consent.deny(OTHERS[0], "profiling", how="preference_page")
    shop()
    assert total(services.ask(question, by="alice")).top == 9


def test_an_unknown_segment_is_said(shop: Say) -> None:
    with pytest.raises(NotFound):
        services.ask(asked(measures=["orders"], segment="nowhere"), by="alice")


def as_figures(question: Question) -> Figures:
    assert isinstance(question, Figures)
    return question


# Saved


def test_what_is_saved_is_seen_by_whom_it_is_shared_with(shop: Say) -> None:
    key = services.save("  Orders  a month ", asked(measures=["orders"]), by="alice@example.com")
    with pytest.raises(Conflict):
        services.save("Orders a month", asked(measures=["revenue"]), by="bob@example.com")
    view = selectors.saved(key)
    assert view.name == "Orders a month"

    def seen_by(email: str, role: str) -> tuple[bool, bool]:
        listed = [v.key for v in selectors.saved_for(email, role)] == [key]
        return listed, selectors.may_open(selectors.saved(key), email, role)

    assert seen_by("alice@example.com", "owner") == (True, True)
    assert seen_by("bob@example.com", "analyst") == (False, False)
    services.change(key, shared="roles", roles=["analyst"], is_pinned=True)
    assert seen_by("bob@example.com", "analyst") == (True, True)
    assert seen_by("chi@example.com", "marketer") == (False, False)
    assert selectors.pinned_for("bob@example.com", "analyst")
    assert not selectors.pinned_for("chi@example.com", "marketer")
    services.change(key, shared="link")
    assert seen_by("chi@example.com", "marketer") == (False, True)
    with pytest.raises(Invalid):
        services.change(key, schedule="hourly")
    services.remove(key)
    with pytest.raises(NotFound):
        selectors.saved(key)


def test_a_schedule_asks_once_a_night_and_keeps_what_came(shop: Say) -> None:
    key = services.save("Orders", asked(measures=["orders"]), by="alice")
    services.change(key, schedule="nightly")
    assert services.run_due() == 0  # it waits for its first night
    with clock.frozen(NOON + dt.timedelta(days=1)):
        assert [k for k, _name in services.due()] == [key]
        assert services.run_due() == 1
        assert services.run_due() == 0
        (kept,) = selectors.history(key)
        newest = selectors.newest_answer(key)
        assert newest is not None
        assert newest == selectors.kept_answer(key, kept.id)
        assert selectors.saved(key).asked_at == clock.now()
        services.change(key, schedule="weekly")
    with clock.frozen(NOON + dt.timedelta(days=6)):  # Sunday
        assert services.due() == []
    with clock.frozen(NOON + dt.timedelta(days=7)):
        assert len(services.due()) == 1


def test_a_run_that_fails_is_told_in_the_history(shop: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    key = services.save("Members", asked(measures=["orders"], segment="gone"), by="alice")
    services.change(key, schedule="nightly")
    with clock.frozen(NOON + dt.timedelta(days=1)):
        assert services.run_due() == 1
        assert "gone" in selectors.saved(key).error
        assert selectors.newest_answer(key) is None
    monkeypatch.setattr(saving, "HISTORY", 2)
    services.change(key, question=asked(measures=["orders"]))
    assert selectors.history(key) == []  # another question has another history
    for hour in range(4):
        with clock.frozen(NOON + dt.timedelta(days=2, hours=hour)):
            services.run_saved(key, by="alice")
    assert len(selectors.history(key)) == 2


def test_an_erasure_leaves_no_answer_that_may_name_somebody(shop: Say) -> None:
    question = asked(measures=["orders"], where=[{"dimension": "property:mail", "is": ["ana@example.org"]}])
    key = services.save("Of one", question, by="alice")
    other = services.save("Of all", asked(measures=["orders"]), by="alice")
    services.run_saved(key, by="alice")
    services.run_saved(other, by="alice")
    assert list(asking.folder().glob("*.json"))
    from rapport.consent.erasers import Erasing, registered

    whose = Erasing((1,), ("email:ana@example.org",), ("h",))
    assert registered()["explore"](whose) > 0
    assert not list(asking.folder().glob("*.json"))
    assert [s.key for s in Saved.objects.all()] == [other]
    assert Kept.objects.count() == 1
    assert not any(b"ana@example.org" in f.read_bytes() for f in home.path("cache").rglob("*") if f.is_file())


def test_an_erasure_keeps_what_only_looks_alike(shop: Say) -> None:
    days = {"first_day": "2026-02-01", "last_day": "2026-03-01"}
    key = services.save("Orders of 20261", asked(measures=["orders"], period=days), by="alice")
    services.run_saved(key, by="alice")
    where = [{"dimension": "property:number", "is": ["x", "7"]}]
    short = services.save("Of one", asked(measures=["orders"], where=where), by="alice")
    named = services.save("Orders of customer:7, alone", asked(measures=["orders"]), by="alice")
    from rapport.consent.erasers import Erasing

    assert services.erase(Erasing((1,), ("customer:2026",), ("h",))) == 0
    assert Kept.objects.count() == 1
    assert services.erase(Erasing((1,), ("customer:7",), ("h",))) == 2
    assert not Saved.objects.filter(key__in=[short, named]).exists()
    assert Saved.objects.filter(key=key).exists()


def test_a_way_of_few_people_is_hidden_however_often_they_went_it(shop: Say) -> None:
    shop(*(ordered(ANA, 20 + i) for i in range(6)))
    around = {"event": "order_placed", "where": [{"dimension": "trait:plan", "is": ["gold"]}]}
    shop(row("page_viewed", ANA, 26.01, properties={"path": "/mine"}))
    given: dict[str, Any] = {"ask": "paths", "around": around, "direction": "before"}
    everybody = services.ask(asked(**given), by="alice")
    assert [r.places[1] for r in everybody.rows if isinstance(r, Walked)] == [""]
    shop(*(row("page_viewed", ANA, 20.01 + i, properties={"path": "/mine"}) for i in range(6)))
    often = services.ask(asked(**given), by="alice")
    assert [r.places[1] for r in often.rows if isinstance(r, Walked)] == [""]


def test_a_hidden_step_does_not_tell_its_time(shop: Say) -> None:
    steps = ["order_placed", "page_viewed"]
    pages = (row("page_viewed", o, 9 + i, properties={"path": "/"}) for i, o in enumerate(OTHERS[:2]))
    shop(*pages)
    answer = services.ask(asked(ask="funnel", steps=steps, by="trait:plan"), by="alice")
    hidden = [r for r in answer.rows if isinstance(r, Reached) and r.n is None]
    assert (None, 1) in {(r.group, r.step) for r in hidden}
    assert all(r.middle_s is None for r in hidden)


def test_sensitive_traits_tell_nobody_apart(shop: Say) -> None:
    shop(told(ANA, religion="none", diet="vegan"))
    with pytest.raises(Invalid, match="sensitive"):
        asked(measures=["people"], by=["trait:religion"])
    with pytest.raises(Invalid, match="sensitive"):
        asked(measures=["people"], where=[{"dimension": "score:health_score", "is": ["a"]}])
    with pytest.raises(Invalid, match="sensitive"):
        asked(measures=["orders"], by=["property:religion"])
    with pytest.raises(Invalid, match="sensitive"):
        asked(measures=["orders"], where=[{"dimension": "property:chosenDiet", "is": ["halal"]}])
    asked(measures=["orders"], by=["property:shelf"])
    assert {"plan"} <= set(selectors.terms().traits)
    assert not {"religion", "diet"} & set(selectors.terms().traits)


def test_a_saved_question_that_is_refused_now_hides_no_other(shop: Say) -> None:
    key = services.save("Orders", asked(measures=["orders"]), by="alice")
    old = services.save("Old", asked(measures=["people"]), by="alice")
    text = json.dumps({"ask": "figures", "measures": [{"measure": "people"}], "by": ["trait:religion"]})
    Saved.objects.filter(key=old).update(question=text)
    assert [v.key for v in selectors.saved_for("alice", "owner")] == [key]
    assert [v.key for v in selectors.all_saved()] == [key]


def test_whatever_goes_wrong_is_noted_and_stops_no_other(shop: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [services.save(name, asked(measures=["orders"]), by="alice") for name in ("A", "B", "C")]
    for key in keys:
        services.change(key, schedule="nightly")
    real = asking.ask

    def breaks(*args: Any, **named: Any) -> Answer:
        if Kept.objects.count() == 0:
            raise ZeroDivisionError("by zero")
        Saved.objects.filter(key=keys[2]).delete()
        return real(*args, **named)

    monkeypatch.setattr(asking, "ask", breaks)
    with clock.frozen(NOON + dt.timedelta(days=1)):
        assert services.run_due() == 3
        assert "by zero" in selectors.saved(keys[0]).error
        assert selectors.newest_answer(keys[1]) is not None
        assert services.due() == []


def test_a_refund_takes_away_whichever_sign_it_has(shop: Say) -> None:
    before = total(services.ask(asked(measures=["revenue"]), by="alice")).top
    for minor in (-300, 200):
        shop(
            row(
                "order_refunded",
                BO,
                1,
                value_minor=minor,
                currency="EUR",
                properties={"order_id": f"r{minor}"},
            )
        )
    assert before is not None
    assert total(services.ask(asked(measures=["revenue"]), by="alice")).top == before - 500
    assert total(services.ask(asked(measures=["refunds"]), by="alice")).top == 500


def test_an_answer_is_kept_where_one_looks_for_it(shop: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    question = asked(measures=["orders"])
    real, n = asking.kept_file, iter(range(9))
    # The log changes between any two looks.
    monkeypatch.setattr(asking, "kept_file", lambda q: real(q).with_stem(f"{next(n):032x}"))
    look = running.begin(question, by="alice")
    for _ in range(500):
        if look.state not in ("running", "waiting"):
            break
        clock.sleep(0.01)
        look = running.look(look.key)
    assert (look.state, look.key) == ("done", f"{0:032x}")


def test_only_so_many_questions_wait(shop: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_places", threading.BoundedSemaphore(1))
    running._places.acquire()
    with pytest.raises(Unavailable, match="too many"):
        running.begin(asked(measures=["orders"]), by="alice")
    running._places.release()
    monkeypatch.setattr(asking, "turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(asking, "LIMIT_S", 0.01)
    asking.turns.acquire()
    figures = as_figures(asked(measures=["orders"]))
    with pytest.raises(Unavailable, match="too many"):
        services.ask(figures, by="alice", limit_s=0.01)
    with pytest.raises(Unavailable, match="too many"):
        services.behind(figures, 0, compiling.Cell(), by="alice", limit=5)


def test_a_list_of_people_is_read_by_pages(shop: Say) -> None:
    question = parsing.parse({"ask": "cohorts", "period": {"last": 3, "unit": "month", "with_current": True}})
    assert isinstance(question, Cohorts)
    cohort = dt.date(2026, 2, 1)
    whole = services.cohort_people(question, cohort, 0, by="alice")
    pages = [
        services.cohort_people(question, cohort, 0, by="alice", page=Page(limit=4, offset=at))
        for at in (0, 4)
    ]
    assert len(whole) == whole[0][2] > 4
    assert len(pages[0]) == 4
    assert [*pages[0], *pages[1]] == whole[:8]


def test_ana_and_her_device_are_one(shop: Say) -> None:
    steps = ["page_viewed", "order_placed"]
    answer = services.ask(asked(ask="funnel", steps=steps, within_days=1), by="alice")
    reached = {(r.group, r.step): r.n for r in answer.rows}  # type: ignore[union-attr]
    assert reached == {(None, 0): 2, (None, 1): 1}
    question = parsing.parse({"ask": "funnel", "steps": steps, "within_days": 1, "period": DAYS})
    (one,) = services.funnel_people(question, 1, has_left=False, group=None, by="alice")  # type: ignore[arg-type]
    from rapport.people import selectors as people

    assert one[0] == people.person_id(ANA)
