"""What is followed is found as words, and what rules a text out does."""

from __future__ import annotations

import pytest

from rapport.kit.errors import Invalid, NotFound
from rapport.listening import services
from rapport.listening.rules import following
from rapport.listening.rules.following import Rule
from rapport.listening.services import asking


def found(rule: Rule, *texts: str, language: str = "", venue: str = "") -> list[bool]:
    n = len(texts)
    return [bool(keys) for keys in following.matched([rule], texts, [language] * n, [venue] * n)]


def rule(*words: str, **more: object) -> Rule:
    return following.checked(Rule("k", "", "brand", words, **more))


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("My lantern, broke", True),
        ("LANTERN!", True),
        ("ｌａｎｔｅｒｎ", True),
        ("#Lantern and @lantern", True),
        ("lanterns", False),
        ("magic_lantern", True),
        ("Laterne", False),
        ("Wi-Fi   box", True),
        ("wi-fi\nbox", True),
        ("Lantern에서 샀어요", True),
        ("새 랜턴을 샀다", True),
        ("c++ (really)", True),
        ("", False),
    ],
)
def test_a_word_is_found_as_a_word(text: str, is_found: bool) -> None:
    assert found(rule("Lantern", "Wi-Fi box", "랜턴", "c++ (really)"), text) == [is_found]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("Bremse", True),
        ("neue BREMSBELÄGE!", True),
        ("#brems", True),
        ("Scheibenbremse", False),
        ("brem", False),
    ],
)
def test_a_star_finds_whatever_begins_so(text: str, is_found: bool) -> None:
    assert found(rule("brems*"), text) == [is_found]
    assert found(rule(text, without_words=("Brems*",)), text) == [not is_found]


def test_a_star_needs_a_beginning() -> None:
    for words in (("ab*",), ("*",), ("**",)):
        with pytest.raises(Invalid, match="nearly everything"):
            rule(*words)
    with pytest.raises(Invalid, match="nearly everything"):
        rule("lantern", without_words=("*",))


@pytest.mark.django_db
def test_a_network_is_searched_without_our_star() -> None:
    services.follow("brakes", "product", ["brems*", "brake pads"])
    assert asking.followed_words() == (("brems", "brake pads"), frozenset({"brems"}))


def test_a_word_that_rules_out_does() -> None:
    assert found(rule("lantern", without_words=("green  Lantern",)), "my lantern", "the Green Lantern film") == [
        True, False,
    ]  # fmt: skip


def test_languages_and_places_narrow_it() -> None:
    english = rule("lantern", languages=("EN",))
    assert found(english, "lantern", language="en-gb") == [True]
    assert found(english, "lantern", language="de") == [False]
    assert found(english, "lantern") == [True], "of whose language nobody knows anything"
    there = rule("lantern", places=("reddit:r/Cars",))
    assert found(there, "lantern", venue="reddit:r/cars") == [True]
    assert found(there, "lantern", venue="reddit:r/boats") == [False]


def test_several_rules_find_one_text() -> None:
    rules = [rule("lantern"), following.checked(Rule("other", "", "problem", ("broke",)))]
    assert following.matched(rules, ["The lantern broke", "It broke"], ["", ""], ["", ""]) == [
        ["k", "other"],
        ["other"],
    ]
    assert following.matched([], ["x"], [""], [""]) == [[]]
    assert following.matched(rules, [], [], []) == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (Rule("No Key", "", "brand", ("lantern",)), "cannot name"),
        (Rule("k", "", "mood", ("lantern",)), "nothing that is followed"),
        (Rule("k", "", "brand", (" ",)), "no words"),
        (Rule("k", "", "brand", ("a",)), "nearly everything"),
        (Rule("k", "", "brand", ("--",)), "nearly everything"),
        (Rule("k", "", "brand", ("lantern",), ("Lantern",)), "both wanted"),
        (Rule("k", "", "brand", ("lantern",), (), ("english",)), "no language"),
        (Rule("k", "", "brand", ("x" * 101,)), "too long"),
        (Rule("k", "", "brand", tuple(f"word{n}" for n in range(201))), "more than"),
    ],
)
def test_what_would_find_nothing_or_anything_is_refused(given: Rule, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        following.checked(given)


@pytest.mark.django_db
def test_it_is_kept_changed_and_ended() -> None:
    services.follow("lantern", "brand", ["Lantern", "lantern"], title="Our lantern")
    assert services.matched(["a LANTERN", "a torch"]) == [["lantern"], []]
    services.follow("lantern", "brand", ["torch"])
    assert services.matched(["a LANTERN", "a torch"]) == [[], ["lantern"]]
    services.unfollow("lantern")
    assert services.matched(["a torch"]) == [[]]
    with pytest.raises(NotFound):
        services.unfollow("nothing")
