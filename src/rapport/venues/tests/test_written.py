"""Drafts of independent writers: how many of the forbidden ones pass, and how many allowed ones are held up."""

from __future__ import annotations

import pytest

from rapport.venues.rules import check, signs, weighing
from rapport.venues.rules.folding import folded
from rapport.venues.tests.written import FIRMS, Written, written

# The weights have learnt from these drafts; what comes of drafts that they have not seen, the model card says.
PASS_MAX, BLOCKED_MAX, DOUBTED_MAX = 0.01, 0.02, 0.15


def outcome(one: Written) -> str:
    found = check(one.card, one.draft)
    if any(finding.is_forbidden for finding in found):
        return "forbidden"
    return "doubted" if any(finding.needs_second_look for finding in found) else "free"


def is_of_tone(one: Written) -> bool:
    """Whether a form of address is broken in English, which has none: its tone is not looked at."""
    return one.draft.language == "en" and one.why.startswith("address")


@pytest.mark.parametrize("writer", FIRMS)
def test_forbidden_drafts_do_not_pass_unseen_and_allowed_ones_are_not_held_up(writer: str) -> None:
    drafts = list(written(writer))
    assert len(drafts) >= 150
    forbidden = [outcome(one) for one in drafts if one.is_forbidden and not is_of_tone(one)]
    allowed = [outcome(one) for one in drafts if not one.is_forbidden]
    assert forbidden.count("free") <= PASS_MAX * len(forbidden)
    assert allowed.count("forbidden") <= BLOCKED_MAX * len(allowed)
    assert allowed.count("doubted") <= DOUBTED_MAX * len(allowed)


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        # Of no writer, in words of their own: what lures stands beside what helps.
        (
            "Grease the hinge once a year. We put three lamps aside for readers of this forum, message me before Sunday.",
            ("Otter Tools",),
            "We put three lamps aside for readers of this forum, message me before Sunday.",
        ),
        (
            "Das Scharnier jährlich fetten. Für Leute aus dem Forum geht bei uns preislich noch was, schreib mir kurz.",
            ("Otter Tools",),
            "Für Leute aus dem Forum geht bei uns preislich noch was, schreib mir kurz.",
        ),
    ],
)
def test_the_sentence_that_tells_most_is_named(text: str, names: tuple[str, ...], said: str) -> None:
    found = weighing.weighed(weighing.Draft(folded(text), (), names))
    assert (found.verdict(by_rule=False), found.words) == ("forbidden", said)


def test_the_name_of_the_firm_weighs_nothing_by_its_letters() -> None:
    text = "Clean the filter of your {} pump under warm water, then let it dry for a day."
    one, other = (
        weighing.weighed(weighing.Draft(folded(text.format(name)), (), (name,))).z
        for name in ("Otter", "Saleprice")
    )
    assert one == pytest.approx(other)


def test_what_the_rules_find_is_at_least_doubted() -> None:
    assert weighing.verdict(-9.0, by_rule=True) == "doubted"
    assert weighing.verdict(-9.0, by_rule=False) == ""


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("Hold the cable and the plug of the lamp while you turn it to the left.", False),
        ("Hol dir das Kabel und die Lampe, das ist bei uns nicht schwer.", True),
        ("Hol dir eins!", True),  # too little to tell its language by
    ],
)
def test_signs_are_those_of_the_language_of_the_text(text: str, calls: bool) -> None:
    (sentence,) = signs.sentences(folded(text))
    assert ("act" in sentence.kinds) == calls


def test_it_is_read_where_in_the_draft_a_sign_stands() -> None:
    help_, selling = "Clean the filter under the tap.", "We have a lovely new one for you."
    one, other = (
        weighing.columns([weighing.Draft(folded(text))]).toarray()[0, : weighing.SIGNS]
        for text in (f"{help_} {selling}", f"{selling} {help_}")
    )
    assert one.sum() == other.sum()
    assert (one != other).any()


@pytest.mark.parametrize(
    "text",
    [
        "It does.",
        "You can charge it overnight.",
        "That was us, it is mended now.",
        "Die Lampe kostet 12 Euro.",
        "Bis vier Meter.",
        "Oui, bien sûr.",
        "Ya lo hemos visto.",
        "Sì, si può lavare.",
        "Sim, dá.",
        "Ja, dat kan.",
        "Tak, można.",
    ],
)
def test_a_short_answer_is_not_held_up(text: str) -> None:
    assert weighing.weighed(weighing.Draft(folded(text), (), ("Otter Tools",))).verdict(by_rule=False) == ""
