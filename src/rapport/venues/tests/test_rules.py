"""What holds by definition: how text is read and counted, who speaks, when one may speak, which card holds."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit.errors import Invalid
from rapport.venues import selectors, services
from rapport.venues.models import Card
from rapport.venues.rules import RuleCard, VenueDraft, check, disclosed, ticks
from rapport.venues.rules.addressing import forms_used, language_of
from rapport.venues.rules.cards import as_mapping, from_mapping, read_hours, written_hours
from rapport.venues.rules.checking import opens_at
from rapport.venues.rules.counting import clusters, length
from rapport.venues.rules.folding import folded

CARD = RuleCard("reddit")


@pytest.mark.parametrize(
    ("text", "counted_as", "n"),
    [
        ("a👨‍👩‍👧b", "graphemes", 3),
        ("🇩🇪🇫🇷", "graphemes", 2),
        ("e\u0301te\u0301", "graphemes", 3),
        ("한국어", "graphemes", 3),
        ("see https://example.org/" + "a" * 90, "mastodon", 4 + 23),
        ("@bo@example.social hi", "mastodon", 6),
        ("한국어", "x", 6),
        ("see https://example.org/" + "a" * 90, "x", 4 + 23),
        ("👨‍👩‍👧", "x", 2),
        ("“Grüße” – é", "x", 11),
        ("a👍", "characters", 2),
    ],
)
def test_a_text_is_as_long_as_its_network_counts(text: str, counted_as: str, n: int) -> None:
    assert length(text, counted_as) == n


@given(st.text())
def test_clusters_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


@given(st.text(max_size=300))
def test_every_rule_is_looked_at_whatever_is_written(text: str) -> None:
    found = ticks(CARD, VenueDraft(text, firm="Otter Tools", own_domains=("otter.example",)))
    assert len({tick.rule for tick in found}) == len(found) == 16
    for tick in found:
        for finding in tick.findings:
            assert finding.message
            assert "{" not in finding.hint.replace(text, "")


def test_hidden_and_look_alike_letters_are_read_and_said() -> None:
    assert folded("fr\u200bee").plain == "free"
    assert folded("fr\u200bee").hidden == ("free",)
    assert folded("frее now").mixed == ("frее",)
    assert folded("👨‍👩‍👧 da\u00ading").hidden == ()
    assert folded("бесплатно").plain == "бесплатно"  # a language of its own is let be
    assert "discount" in folded("d i s c o u n t").others[0]
    assert any("discount" in reading for reading in folded("d1sc0unt").readings)


def test_the_disclosure_is_written_in_once_in_the_language_of_the_text() -> None:
    once = disclosed(CARD, "Es ist die Sicherung.", "de", "Otter Tools")
    assert once == "Es ist die Sicherung.\n\nIch arbeite für Otter Tools."
    assert disclosed(CARD, once, "de", "Otter Tools") == once
    said = "Mia from Otter Tools here. It's the fuse."
    assert disclosed(CARD, said, "en", "Otter Tools") == said
    own = replace(CARD, disclosure={"en": "{firm} pays me."})
    assert disclosed(own, "It's the fuse.", "en", "Otter Tools").endswith("Otter Tools pays me.")
    tagged = disclosed(replace(CARD, disclosure_as="tag"), "It's the fuse.", "en", "Otter Tools")
    assert tagged == "[Otter Tools] It's the fuse."
    assert disclosed(replace(CARD, disclosure_as="none"), "Hi.", "en", "Otter Tools") == "Hi."


def test_the_disclosure_shrinks_before_it_makes_a_text_too_long() -> None:
    short = replace(CARD, length_max=60)
    assert disclosed(short, "x" * 46, "en", "Otter Tools") == "x" * 46 + " (Otter Tools)"
    long = disclosed(short, "x" * 58, "en", "Otter Tools")
    codes = {f.code for f in check(short, VenueDraft(long, was_asked=True, firm="Otter Tools"))}
    assert codes == {"length"}  # who speaks is never left out to make it fit


def test_hours_are_those_of_the_venue() -> None:
    card = from_mapping({"hours": "mon-fri 09:00-18:00; sat 22:00-02:00", "zone": "Europe/Berlin"}, on=CARD)

    def codes(at: dt.datetime) -> set[str]:
        draft = VenueDraft("It's the fuse.", was_asked=True, at=at)
        return {finding.code for finding in check(card, draft)}

    monday = dt.datetime(2026, 3, 2, 8, 30, tzinfo=dt.UTC)  # 9:30 there
    assert codes(monday) == set()
    assert codes(monday.replace(hour=7, minute=59)) == {"hours"}
    assert codes(dt.datetime(2026, 3, 1, 0, 30, tzinfo=dt.UTC)) == set()  # 1:30 in the night to Sunday
    assert opens_at(card, dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)) == monday.replace(minute=0)
    assert written_hours(card.hours) == "mon-fri 09:00-18:00; sat 22:00-02:00"
    with pytest.raises(Invalid, match="are no hours"):
        read_hours("in the evening")


@pytest.mark.parametrize(
    ("language", "text", "forms"),
    [
        ("de", "Kannst du das prüfen?", {"du"}),
        ("de", "Können Sie das prüfen?", {"Sie"}),
        ("de", "Sie quietschen, weil sie alt sind.", set()),
        ("de", "Die Anleitung sagt „Ihre Garantie erlischt“.", set()),
        ("fr", "Le ton change quand on accélère.", set()),
        ("fr", "Regarde ton fusible.", {"tu"}),
        ("fr", "Regardez votre fusible.", {"vous"}),
        ("es", "Mira tu fusible.", {"tú"}),
        ("es", "Compruebe usted el fusible.", {"usted"}),
        ("it", "Controlla il tuo fusibile.", {"tu"}),
        ("it", "Le consigliamo di controllare il Suo fusibile.", {"Lei"}),
        ("pt", "O teu fusível está preto.", {"tu"}),
        ("pt", "Você já viu o fusível?", {"você"}),
    ],
)
def test_forms_of_address(language: str, text: str, forms: set[str]) -> None:
    assert set(forms_used(text, language)) == forms


def test_the_language_of_a_text_is_said_only_where_it_is_sure() -> None:
    assert language_of("Das ist die Sicherung, die unter dem Sitz ist.") == "de"
    assert language_of("3월부터 6월 사이에 만든 펌프가 대상입니다.") == "ko"
    assert language_of("OK, F14.") == ""


def test_promotion_is_weighed_against_help() -> None:
    card = replace(CARD, forbids=(), help_to_promotion=4, disclosure_as="none", links="allowed")
    draft = VenueDraft("Check out our shop for the set.", was_asked=True, helpful=7, promoting=1)
    (finding,) = check(card, draft)
    assert (finding.code, finding.is_forbidden) == ("promotion_ratio", True)
    assert "Help 1 more times" in finding.hint
    (finding,) = check(card, replace(draft, helpful=8))
    assert (finding.code, finding.is_forbidden) == ("promotion_noted", False)


def test_a_card_is_written_down_and_read_again() -> None:
    for venue, values in selectors.starting().items():
        card = from_mapping(values)
        assert card.venue == venue
        assert from_mapping(as_mapping(card)) == card


def test_the_card_of_a_place_stands_over_that_of_its_network(db: None) -> None:
    assert selectors.card("nowhere:yet").origin == "cautious"
    assert selectors.card("reddit:r/cars").origin == "starting"
    services.change_card("reddit", {"links": "none"}, "alice@example.com")
    found = selectors.card("reddit:r/cars")
    assert (found.origin, found.card.links, found.card.venue) == ("network", "none", "reddit:r/cars")
    services.change_card("reddit:r/cars", {"links": "one"}, "alice@example.com")
    assert selectors.card("reddit:r/cars").card.links == "one"
    services.change_card("reddit:r/cars", {"links": "none"}, "alice@example.com")  # as below: nothing is kept
    assert not Card.objects.filter(venue="reddit:r/cars").exists()


@pytest.mark.parametrize(
    ("text", "is_too_many"),
    [
        ("It stands at https://status.otter.example and is written anew every five minutes.", False),
        ("It stands at status.otter.example.", False),
        ("It stands at https://status.otter.example and at otter.example too.", True),
        ("It stands at https://status.otter.example, and at otter dot example too.", True),
    ],
)
def test_a_page_below_our_own_address_is_one_link(text: str, is_too_many: bool) -> None:
    draft = VenueDraft(text, language="en", firm="Otter Tools", own_domains=("otter.example",))
    found = check(replace(CARD, links="one", disclosure_as="none", forbids=()), draft)
    assert ("link_too_many" in {finding.code for finding in found}) == is_too_many
