"""For whom a rule holds: counted, shown in pages, sampled, reached, laid beside others, explained."""

from __future__ import annotations

import pytest

from rapport.consent import services as consent
from rapport.segments import rules, selectors, services
from rapport.segments.tests.conftest import ANA, BO, CHI, Say, settled, told
from rapport.segments.tests.test_membership import BUYERS, person

EVERYBODY = rules.EVERYBODY


@pytest.fixture
def leave(crowd: Say) -> consent.Warrant:
    return services.leave("alice")


def test_pages_of_members_neither_miss_nor_repeat_anybody(crowd: Say, leave: consent.Warrant) -> None:
    crowd(*(told(f"customer:c{n}") for n in range(20)))
    seen: list[int] = []
    after: int | None = None
    while True:
        page = selectors.members(EVERYBODY, leave, after=after, limit=7)
        seen += page.persons
        after = page.after
        if after is None:
            break
    assert len(seen) == 23 == selectors.count(EVERYBODY, leave)
    assert seen == sorted(set(seen)) == selectors.persons_arrow(EVERYBODY, leave)["person"].to_pylist()


def test_a_sample_stays_the_same_for_its_seed(crowd: Say, leave: consent.Warrant) -> None:
    crowd(*(told(f"customer:c{n}") for n in range(20)))
    first = selectors.sample(EVERYBODY, leave, seed=1)
    assert len(set(first)) == 5
    assert first == selectors.sample(EVERYBODY, leave, seed=1)
    assert first != selectors.sample(EVERYBODY, leave, seed=2)


def test_reachable_is_who_allows_the_channel_and_told_what_it_needs(leave: consent.Warrant) -> None:
    for who in (ANA, BO):
        consent.grant(who, "marketing", channel="email", how="staff")
        consent.grant(who, "marketing", channel="sms", how="staff")
    settled()
    size = selectors.size(EVERYBODY, leave, reach="marketing")
    assert (size.n, size.n_people, size.share) == (3, 3, 1.0)
    # Bo allows mail and told no address; nobody told a telephone number.
    assert (size.reachable["email"], size.reachable["sms"], size.reachable["post"]) == (1, 0, 0)
    assert selectors.reachable(rules.parse(BUYERS), leave, "marketing")["email"] == 1


def test_overlap_counts_who_is_in_both(leave: consent.Warrant) -> None:
    services.create("Buyers", {"event": "order_placed"}, by="alice")
    services.create("Gold", {"trait": "plan", "is": "gold"}, by="alice")
    services.create("Nobody", {"any": []}, by="alice")
    services.refresh()
    found = {(o.a, o.b): o for o in selectors.overlaps("buyers", ["gold", "nobody"], leave)}
    both = found["buyers", "gold"]
    assert (both.n_a, both.n_b, both.n_both, both.share) == (2, 1, 1, 1.0)
    assert set(found) == {("buyers", "gold"), ("buyers", "nobody")}
    assert (found["buyers", "nobody"].n_a, found["buyers", "nobody"].n_both) == (2, 0)


def test_why_somebody_is_in_or_not_is_said_line_by_line_with_what_was_found(leave: consent.Warrant) -> None:
    services.create("Buyers", BUYERS, by="alice")
    services.refresh()
    rule = rules.parse(
        {
            "all": [
                {"event": "order_placed", "window": {"last_days": 30}, "count": {"op": ">=", "value": 2}},
                {
                    "any": [
                        {"trait": "plan", "is": "gold"},
                        {"trait": "points", "compare": {"op": ">", "value": 50}},
                    ]
                },
                {"not": {"event": "complaint_raised"}},
                {"segment": "buyers"},
                {
                    "event": "order_placed",
                    "value_minor": {"op": ">=", "value": 2000},
                    "window": {"last_days": 90},
                },
            ]
        }
    )
    ana = selectors.explain(rule, person(ANA), leave)
    assert ana.is_in
    assert ana.line is not None
    assert [(line.at, line.holds, line.found) for line in ana.line.below] == [
        ("$.all[0]", True, "2 times, last on 2026-02-28"),
        ("$.all[1]", True, ""),
        ("$.all[2]", True, ""),
        ("$.all[3]", True, "in it since 2026-03-02"),
        ("$.all[4]", True, "30.00 in all"),
    ]
    assert [line.found for line in ana.line.below[1].below] == ["“gold”", "120"]
    assert ana.line.below[2].below[0].found == "never"
    bo = selectors.explain(rule, person(BO), leave)
    assert not bo.is_in
    assert [(line.text, line.found) for line in bo.deciding] == [
        ("bought at least 2 times in the last 30 days", "not in this time; last on 2025-11-22"),
        ("plan is “gold”", "“silver”"),
        ("points is more than 50", "not known"),
        ("is in the segment “buyers”", "not in it"),
        ("bought for at least 20.00 in all in the last 90 days", "not in this time; last on 2025-11-22"),
    ]


def test_what_is_explained_is_what_is_counted(leave: consent.Warrant) -> None:
    for case in (
        BUYERS,
        {"event": "order_placed", "did": False},
        {"identifier": "email"},
        {"trait": "plan", "known": False},
    ):
        rule = rules.parse(case)
        counted = set(selectors.members(rule, leave).persons)
        assert counted == {p for p in map(person, (ANA, BO, CHI)) if selectors.explain(rule, p, leave).is_in}
