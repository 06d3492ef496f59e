"""When evidence is enough, and what may not be asked."""

from __future__ import annotations

import numpy as np
import pytest

from rapport.aio import rules
from rapport.aio.rules import asking, judging
from rapport.kit.errors import Denied, Invalid
from rapport.people.rules import sensitive_texts


def of_texts(*stances: float, doubt: float = 0.1) -> rules.Sums:
    values = np.asarray(stances)
    one = np.ones(1)
    return rules.Sums(
        n=one * len(values),
        weight=one * len(values),
        moment=one * values.sum(),
        square=one * (values**2).sum(),
        doubt=one * doubt * len(values),
        of_all=one * 0,
        share=one * 0,
        recent_weight=one * len(values) / 2,
        recent_moment=values[len(values) // 2 :].sum() * one,
    )


def of_weeks(topic: float, everything: float, share: float, weeks: int) -> rules.Sums:
    zero, one = np.zeros(1), np.ones(1)
    return rules.Sums(
        one * weeks, one * topic, zero, one * topic, zero, one * everything, one * share, zero, zero
    )


def test_one_sure_text_is_stated_and_one_doubtful_is_not() -> None:
    sure = rules.stance(of_texts(-0.95, doubt=0.1))
    assert sure.suffices[0]
    assert sure.low[0] < sure.value[0] < sure.high[0] < 0
    assert abs(sure.value[0]) < 0.95, "drawn toward indifference"
    assert not rules.stance(of_texts(-0.6, doubt=0.64)).suffices[0]


def test_who_says_both_has_no_stance() -> None:
    found = rules.stance(of_texts(0.9, -0.9, 0.9, -0.9))
    assert not found.suffices[0]
    assert found.low[0] < 0 < found.high[0]


def test_more_texts_make_it_surer() -> None:
    few, many = (rules.stance(of_texts(*[0.9, 0.6] * k)) for k in (1, 8))
    assert many.high[0] - many.low[0] < few.high[0] - few.low[0]
    assert many.value[0] > few.value[0]


def test_average_attention_is_one_half_and_no_interest() -> None:
    found = rules.affinity(of_weeks(topic=10, everything=100, share=0.1, weeks=10))
    assert found.value[0] == pytest.approx(0.5)
    assert not found.suffices[0]


def test_an_interest_takes_several_weeks_clearly_above_the_average() -> None:
    assert rules.affinity(of_weeks(topic=8, everything=10, share=0.1, weeks=8)).suffices[0]
    assert not rules.affinity(of_weeks(topic=8, everything=10, share=0.1, weeks=1)).suffices[0]
    assert not rules.affinity(of_weeks(topic=1, everything=2, share=0.1, weeks=2)).suffices[0]


def test_a_trend_needs_texts_on_both_sides() -> None:
    worse = rules.trend(of_texts(0.9, 0.9, -0.9, -0.9))
    assert worse[0] == pytest.approx(-1.8)
    assert np.isnan(rules.trend(of_texts(0.9, -0.9))[0])


def test_what_is_declared_is_taken_as_said() -> None:
    found = rules.judged(of_texts(0.5, doubt=0), rules.OPINION, rules.DECLARED)
    assert (found.value[0], found.low[0], found.high[0], found.suffices[0]) == (0.5, 0.5, 0.5, True)


def test_a_share_has_its_interval() -> None:
    one = rules.standing_of(rules.OPINION, "q", (30, 20, 10, 0), 100)
    assert one.share == pytest.approx(2 / 3)
    assert 0.48 < one.low < one.share < one.high < 0.81
    nobody = rules.standing_of(rules.OPINION, "q", (3, 0, 0, 0), 100)
    assert (nobody.low, nobody.high) == (0.0, 1.0)
    everybody = rules.standing_of(rules.OPINION, "q", (5, 5, 0, 0), 9)
    assert everybody.low < everybody.share == everybody.high == 1.0


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("days late", "Two DAYS late!!", True),
        ("days late", "sundays late show", False),
        ("livré à temps", "Livre a temps, merci", True),
        ("toujours pas arrivé*", "mes pneus ne sont toujours pas arrivés", True),
        ("lasted only * weeks", "it lasted only three weeks", True),
        ("배송이 늦", "요즘 배송이 늦네요", True),
    ],
)
def test_phrases_are_found_as_people_write_them(phrase: str, text: str, found: bool) -> None:
    import re

    pattern = rules.pattern([rules.spoken(phrase)])
    assert bool(re.search(pattern, sensitive_texts.plainly(text))) is found


def test_a_phrase_that_is_turned_round_is_known() -> None:
    import re

    turned = rules.pattern([rules.spoken("on time")], negated=True)
    assert re.search(turned, sensitive_texts.plainly("It was not delivered on time"))
    assert not re.search(turned, sensitive_texts.plainly("It was delivered on time"))


def asked(**given: object) -> rules.Asked:
    words = {"en": {"yes": ["two days"]}}
    return rules.Asked(**({"key": "fast", "title": "Delivers in two days", "words": words} | given))  # type: ignore[arg-type]


def test_a_good_question_is_taken() -> None:
    rules.check(asked())
    rules.check(asked(words={}, answers=(rules.Answered("csat", 1, 5),)))


@pytest.mark.parametrize(
    "given",
    [
        {"title": "Do they vote for the left wing?"},
        {"title": "Is she pregnant?"},
        {"title": "Ist der Kunde schwul?"},
        {"title": "¿Va a la iglesia?"},
        {"title": "임신했나요"},
        {"key": "religion"},
        {"key": "pregnancy_likely"},
        {"words": {"en": {"yes": ["we need it for the church"]}}},
        {"words": {"de": {"about": ["bin schwanger"]}}},
    ],
)
def test_special_categories_cannot_be_asked(given: dict[str, object]) -> None:
    with pytest.raises(Denied, match=r"article 9|stands for"):
        rules.check(asked(**given))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"key": "No key"}, "is no key"),
        ({"title": " "}, "empty"),
        ({"words": {}}, "nothing would ever answer"),
        ({"words": {"xx": {"yes": ["two days"]}}}, "no language"),
        ({"words": {"en": {"maybe": ["two days"]}}}, "kind of phrase"),
        ({"words": {"en": {"yes": ["a"]}}}, "too short"),
        ({"words": {"en": {"yes": [f"word {n}" for n in range(90)]}}}, "90 phrases"),
        ({"answers": (rules.Answered("csat", 5, 5),)}, "above the lowest"),
    ],
)
def test_what_cannot_be_kept_is_said(given: dict[str, object], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        rules.check(asked(**given))


def test_an_installation_begins_with_questions_that_pass() -> None:
    found = rules.starting()
    assert {one.key for one in found} >= {"on_time", "fair_prices", "repair"}
    assert {one.is_promise for one in found} == {True, False}
    for one in found:
        rules.check(one)
        both = set(one.phrases("yes")) & set(one.phrases("no"))
        assert not both, f"{one.key} says yes and no by {both}"


def test_keys_come_from_titles() -> None:
    assert rules.key_of("Liefert in zwei Tagen!") == "liefert_in_zwei_tagen"
    assert rules.key_of("이틀 안에") == ""
    assert len(rules.key_of("x" * 90)) == 48
    assert asking.PART.fullmatch(rules.key_of("Ünïcode, 2 days"))


def test_constants_hold_together() -> None:
    assert sum(judging.SCORES_MAX.values()) <= 60
