"""What a rule came to on earlier days, who came and went since, and a count that shows a few of them at once."""

from __future__ import annotations

import datetime as dt

import pytest

from rapport.consent import services as consent
from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.segments import rules, selectors, services
from rapport.segments.selectors import looking_back, moving
from rapport.segments.tests.conftest import BO, NOON, Say, ordered, settled
from rapport.segments.tests.test_membership import person

TODAY = NOON.date()


@pytest.fixture
def leave(crowd: Say) -> consent.Warrant:
    return services.leave("alice")


def days_ago(*numbers: int) -> list[dt.date]:
    return [TODAY - dt.timedelta(days=n) for n in numbers]


def test_a_rule_is_asked_of_each_day_as_it_was(crowd: Say, leave: consent.Warrant) -> None:
    crowd(ordered("customer:dora", 100), ordered("customer:dora", 50))
    twice = {"event": "order_placed", "dimension": "", "count": {"op": ">=", "value": 2}}
    dora = {"all": [twice, {"not": {"profile": "first_seen", "when": {"before_days": 101}}}]}
    sizes = looking_back.sizes_on(rules.parse(dora), leave, days_ago(120, 101, 99, 51, 49, 0))
    assert [n for _day, n in sizes] == [0, 0, 0, 0, 1, 2]  # Dora, and then Ana too
    # On each day the window ends there: what came later has not happened yet.
    lately = rules.parse({"all": [*dora["all"][1:], {"event": "order_placed", "window": {"last_days": 30}}]})
    assert [n for _day, n in looking_back.sizes_on(lately, leave, days_ago(99, 65, 45, 0))] == [2, 0, 1, 1]
    assert looking_back.sizes_on(lately, leave, []) == []


def test_the_question_can_be_stopped(leave: consent.Warrant) -> None:
    given: list[object] = []
    looking_back.sizes_on(rules.EVERYBODY, leave, days_ago(0), began=given.append)
    assert hasattr(given[0], "interrupt")


def test_who_entered_and_who_left_is_read_from_the_log(crowd: Say, leave: consent.Warrant) -> None:
    services.create("Lately", {"event": "order_placed", "window": {"last_days": 2}}, by="alice")
    services.refresh()
    crowd(ordered(BO, 0))
    services.refresh()
    with clock.frozen(NOON + dt.timedelta(days=3)):
        services.refresh()
        settled()
        assert person(BO) in moving.moved("lately", moving.ENTERED, TODAY, TODAY, leave)
        after = TODAY + dt.timedelta(days=3)
        assert person(BO) in moving.moved("lately", moving.LEFT, after, after, leave)
        assert moving.moved("lately", moving.LEFT, TODAY, TODAY, leave).size == 0
        assert moving.moved("another", moving.ENTERED, TODAY, after, leave).size == 0
    with pytest.raises(Invalid, match="flew"):
        moving.moved("lately", "flew", TODAY, TODAY, leave)


def test_a_count_shows_the_same_few_as_a_sample(leave: consent.Warrant) -> None:
    found = selectors.size(rules.EVERYBODY, leave, reach="marketing", shown=2)
    assert found.sample == selectors.sample(rules.EVERYBODY, leave, 2)
    assert len(found.sample) == 2
    assert (
        found.reachable.keys() == selectors.size(rules.EVERYBODY, leave, reach="marketing").reachable.keys()
    )
    nobody = selectors.size(rules.parse({"any": []}), leave, shown=2)
    assert (nobody.n, nobody.sample, selectors.size(rules.EVERYBODY, leave).sample) == (0, (), ())
