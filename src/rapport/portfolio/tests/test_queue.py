"""Who is answered next: everybody in time wherever that can be, in turn where it cannot, and nobody for who they are."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.kit.errors import Invalid
from rapport.portfolio import rules
from rapport.portfolio.rules import Matter, Matters, Policy, Standing
from rapport.portfolio.rules.queue import NOT_FIRST, Pace
from rapport.portfolio.rules.replay import by_policy, in_turn, replay

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
ON = Policy(version=1, is_on=True)


def past(rows: list[tuple[int, int, int, int]]) -> Matters:
    """Gap before it arrives, minutes, worth, place in FIRST."""
    gap, minutes, worth, first = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    return Matters(
        person=np.arange(n),
        since=np.cumsum(gap).astype(float),
        minutes=minutes.astype(float),
        first=first,
        tier=np.arange(n) % 4,
        worth=worth.astype(float),
        saving_minor=worth * minutes.astype(float),
        currency=np.array(["EUR"] * n),
    )


ordinary = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 30), st.integers(0, 9), st.just(NOT_FIRST)),
    min_size=1,
    max_size=60,
)
mixed = st.lists(
    st.tuples(
        st.integers(0, 60), st.integers(1, 30), st.integers(0, 9), st.sampled_from([0, 1, 2, 3, 3, 3, 3])
    ),
    min_size=1,
    max_size=60,
)
paces = st.builds(
    Pace,
    longest_wait=st.integers(10, 900).map(float),
    capacity=st.sampled_from([0.25, 0.5, 1.0, 2.0]),
    floor_ratio=st.sampled_from([0.0, 0.3, 0.6]),
)


@settings(max_examples=400)
@given(ordinary, paces)
def test_everybody_is_answered_in_time_wherever_any_order_could(
    rows: list[tuple[int, int, int, int]], pace: Pace
) -> None:
    """In turn meets every deadline that can be met (one deadline for all), so it says whether capacity suffices."""
    these = past(rows)
    in_time = (
        in_turn(these.since, these.minutes, pace.capacity) - these.since <= pace.longest_wait + 1e-6
    ).all()
    done, _ = by_policy(these, pace)
    if in_time:
        assert (done - these.since <= pace.longest_wait + 1e-6).all()


@settings(max_examples=300)
@given(mixed, st.integers(10, 600).map(float), st.sampled_from([0.5, 1.0]))
def test_with_some_who_come_first_the_floor_keeps_the_others_in_time(
    rows: list[tuple[int, int, int, int]], longest: float, capacity: float
) -> None:
    """Where what comes first takes no more than the floor, and the rest of the minutes suffices for the others in
    turn, nobody waits too long: what comes first can only have taken minutes that were held back for it."""
    these = past(rows)
    first = these.first < NOT_FIRST
    pace = Pace(longest, capacity, 0.5)
    # Minutes that come first, from any moment on, within what is held back of the time since.
    taken = np.cumsum(np.where(first, these.minutes, 0.0))
    since_start = np.concatenate([[0.0], taken])
    held = capacity * pace.floor_ratio
    bursts = max(
        (since_start[j + 1] - since_start[i]) - held * (these.since[j] - these.since[i])
        for i in range(len(these))
        for j in range(i, len(these))
    )
    others = ~first
    if not others.any():
        return
    # The others in turn, on the minutes left, each also behind the largest burst and one answer already begun.
    behind = (max(bursts, 0.0) + these.minutes.max()) / (capacity * (1 - pace.floor_ratio))
    alone = in_turn(these.since[others], these.minutes[others], capacity * (1 - pace.floor_ratio))
    if (alone - these.since[others] + behind > longest).any():
        return
    done, _ = by_policy(these, pace)
    assert (done[others] - these.since[others] <= longest + 1e-6).all()


@given(mixed, paces)
def test_what_comes_first_waits_for_nobody_but_whoever_is_being_answered(
    rows: list[tuple[int, int, int, int]], pace: Pace
) -> None:
    these = past(rows)
    done, whys = by_policy(these, pace)
    begun = done - these.minutes / pace.capacity
    for k in np.flatnonzero(these.first < NOT_FIRST):
        assert whys[k] == rules.FIRST[these.first[k]]
        # Nobody of a later place, and nobody who came later in the same place, is begun while it waits.
        for j in range(len(these)):
            if (these.first[j], j) > (these.first[k], k):
                assert not (these.since[k] + 1e-6 < begun[j] < begun[k] - 1e-6)


@given(ordinary, paces)
def test_where_it_cannot_be_done_turns_are_taken_as_people_came(
    rows: list[tuple[int, int, int, int]], pace: Pace
) -> None:
    these = past(rows)
    done, whys = by_policy(these, pace)
    begun = done - these.minutes / pace.capacity
    for k in np.flatnonzero(np.array(whys) == "short"):
        waiting = (these.since <= begun[k] + 1e-9) & (begun >= begun[k])
        assert these.since[k] == these.since[waiting].min()


def test_being_short_is_said() -> None:
    """Ten hours of work, and two hours of service before the first deadline."""
    waiting = [
        Matter(str(k), NOW - dt.timedelta(hours=22), minutes=60, standing=Standing(worth_ratio=k))
        for k in range(10)
    ]
    policy = replace(ON, minutes_per_day=24 * 60)
    assert rules.shortfall_minutes(waiting, policy, NOW) == pytest.approx(8 * 60)
    found = rules.order(waiting, policy, NOW)
    assert found[0].why == "short"
    assert "more to answer than can be" in found[0].reason
    assert [p.key for p in found] == [str(k) for k in range(10)]  # as they came, whatever they are worth


matters = st.lists(
    st.builds(
        lambda k, hours, minutes, worth, first, tier, channel: Matter(
            f"m{k}",
            NOW - dt.timedelta(hours=hours),
            minutes=minutes,
            first=first,
            standing=Standing(tier=tier, worth_ratio=worth),
            channel=channel,
        ),
        st.integers(0, 10_000),
        st.floats(0, 40),
        st.floats(1, 60),
        st.floats(0, 20),
        st.sampled_from(["", "", "", *rules.FIRST]),
        st.sampled_from(["A", "B", "C", ""]),
        st.sampled_from(["email", "phone", "mastodon"]),
    ),
    max_size=25,
    unique_by=lambda m: m.key,
)


@given(matters, st.booleans())
def test_nobody_is_left_out_and_no_tier_loses_a_channel(waiting: list[Matter], is_on: bool) -> None:
    policy = replace(ON, is_on=is_on)
    found = rules.order(waiting, policy, NOW)
    assert sorted(p.key for p in found) == sorted(m.key for m in waiting)
    assert [p.rank for p in found] == list(range(1, len(waiting) + 1))
    # The tier is a word for people, and the channel where they wrote: neither moves anybody.
    elsewhere = [replace(m, channel="x", standing=replace(m.standing, tier="C")) for m in waiting]
    assert [p.key for p in rules.order(elsewhere, policy, NOW)] == [p.key for p in found]


@given(matters)
def test_with_the_policy_off_worth_moves_nobody(waiting: list[Matter]) -> None:
    off = replace(ON, is_on=False)
    alike = [replace(m, standing=Standing()) for m in waiting]
    assert [p.key for p in rules.order(waiting, off, NOW)] == [p.key for p in rules.order(alike, off, NOW)]
    ordinary = [p for p in rules.order(waiting, off, NOW) if p.why == "turn"]
    by_key = {m.key: m for m in waiting}
    assert [by_key[p.key].since for p in ordinary] == sorted(by_key[p.key].since for p in ordinary)


def test_the_order_in_words() -> None:
    def matter(key: str, hours: float, worth: float = 0.0, first: str = "") -> Matter:
        return Matter(
            key,
            NOW - dt.timedelta(hours=hours),
            minutes=30,
            first=first,
            standing=Standing(worth_ratio=worth),
        )

    waiting = [
        matter("worth", 1, worth=5),
        matter("plain", 3),
        matter("help", 1, first="vulnerable"),
        matter("money", 1, first="refund"),
        matter("danger", 0.1, first="safety"),
    ]
    policy = replace(ON, minutes_per_day=12 * 60, longest_wait_hours=24)
    found = rules.order(waiting, policy, NOW)
    assert [p.key for p in found] == ["danger", "money", "help", "worth", "plain"]
    assert [p.why for p in found] == ["safety", "refund", "vulnerable", "saving", "turn"]
    # An hour before the maximum its turn has come, whatever the other is worth.
    found = rules.order([matter("worth", 1, worth=5), matter("plain", 23)], policy, NOW)
    assert [(p.key, p.why) for p in found] == [("plain", "due"), ("worth", "turn")]
    assert "23.0 of the 24 hours" in found[0].reason


def test_a_quiet_order_by_value_saves_more_than_in_turn() -> None:
    rng = np.random.default_rng(5)
    n = 400
    these = Matters(
        person=np.arange(n),
        since=np.sort(rng.uniform(0, 20 * 1440, n)),
        minutes=np.full(n, 20.0),
        first=np.full(n, NOT_FIRST),
        tier=rng.integers(0, 3, n),
        worth=rng.gamma(0.7, 1.0, n),
        saving_minor=np.zeros(n),
        currency=np.array(["EUR"] * n),
        low_ratio=0.5,
        high_ratio=1.5,
    )
    these = replace(these, saving_minor=these.worth * 100)
    policy = replace(ON, minutes_per_day=420.0, longest_wait_hours=36, floor_ratio=0.1, half_life_hours=12)
    found = replay(these, policy, np.random.default_rng(1))
    (money,) = found.outcomes
    assert money.gain_minor > 0.02 * money.present_minor
    assert 0 < money.low_minor < money.gain_minor < money.high_minor
    assert found.policy.everybody.beyond_ratio <= found.present.everybody.beyond_ratio
    assert found.n_longer > 0
    assert found.longer_most_hours <= 36
    assert sum(found.longer_by_tier.values()) == found.n_longer
    assert sum(found.whys.values()) == n


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"longest_wait_hours": 0}, "longest wait"),
        ({"minutes_per_day": float("nan")}, "service of a day"),
        ({"floor_ratio": 1.0}, "held back"),
        ({"safety_words": ()}, "always come first"),
        ({"need_trait": "health_status"}, "health"),
        ({"need_trait": "a b"}, "name of a trait"),
        ({"costs": rules.Costs(complaint_minutes=0)}, "complaint minutes"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        rules.check(replace(Policy(), **wrong))  # type: ignore[arg-type]


def test_a_policy_survives_json() -> None:
    policy = replace(Policy(), costs=rules.Costs(minute_rate_minor=75.0), safety_words=("fire",))
    rules.check(policy)
    assert Policy.from_json(policy.as_json()) == policy
    assert Policy.from_json({**policy.as_json(), "unknown": 1}, is_on=True).is_on


def test_what_comes_first_takes_its_minutes_before_the_others() -> None:
    """Ten minutes are left for the letter; the safety matter came later and has half a day yet, but goes first."""
    policy = replace(ON, longest_wait_hours=24.0, minutes_per_day=1440.0)
    letter = Matter("letter", NOW - dt.timedelta(hours=23, minutes=50), minutes=10.0)
    fire = Matter("fire", NOW - dt.timedelta(hours=12), minutes=15.0, first="safety")
    assert rules.shortfall_minutes([letter], policy, NOW) == 0
    assert rules.shortfall_minutes([letter, fire], policy, NOW) == pytest.approx(15)


def test_of_two_alike_the_shorter_answer_saves_more_a_minute() -> None:
    long = Matter("long", NOW - dt.timedelta(hours=2), minutes=15.0)
    short = Matter("short", NOW - dt.timedelta(hours=1), minutes=8.0)
    turn = rules.order([long, short], ON, NOW)[0]
    assert (turn.key, turn.why) == ("short", "saving")


def test_who_is_not_known_waits_like_the_mean_and_not_like_the_last() -> None:
    unknown = Matter("unknown", NOW - dt.timedelta(hours=1))
    known = [
        Matter(name, NOW - dt.timedelta(hours=2), standing=Standing("B", worth_ratio=ratio))
        for name, ratio in (("less", 0.5), ("more", 1.5))
    ]
    assert [t.key for t in rules.order([*known, unknown], ON, NOW)] == ["more", "unknown", "less"]
