"""Cards from the log: what sets apart, what is quoted, who is in, and what stays through a refit."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pytest

from rapport.events import lake
from rapport.kit import clock, query
from rapport.kit.errors import Invalid, NotFound
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.people.services.scoring import SCORE
from rapport.personas import rules, selectors, services
from rapport.personas.models import Finding
from rapport.personas.services import speaking
from rapport.personas.tests.conftest import EACH, NOW, Say, answer, buyer, found, row
from rapport.segments import selectors as segments
from rapport.segments import services as segment_services

NPS = {"survey": "nps", "question": "why"}


def of(who: str) -> int:
    return people.person_id(f"customer:{who}")


def card_of(who: str) -> selectors.CardView:
    """The card of the persona that somebody is in."""
    score = next(s for s in people.person(of(who)).scores if s.name == "persona")
    return selectors.card(score.label)


def test_two_kinds_get_a_card_each_that_says_what_sets_them_apart_and_a_segment_if_asked(crowd: Say) -> None:
    del crowd
    found()
    told = selectors.finding()
    assert told is not None
    assert told.n_personas == 2
    assert told.chosen is not None
    assert told.chosen.is_stable
    assert told.n_people == 2 * EACH - 1
    first, second = card_of("k0n0"), card_of("k1n0")
    assert {c.key for c in selectors.cards()} == {first.key, second.key} == {"p1", "p2"}
    assert (first.n, second.n) == (EACH - 1, EACH)
    bought = {one.name for one in first.profile.best(("bought",))}
    assert bought == {"tyres", "oil"}
    (by,) = first.profile.best(("ordered_by",))
    assert (by.name, by.n, by.share) == ("app", EACH - 1, 1.0)
    assert by.low > 1
    assert by.lift == pytest.approx((2 * EACH - 1) / (EACH - 1))
    assert first.profile.jaccard is not None
    assert first.profile.jaccard > 0.9
    assert first.moved is None
    assert services.paint() == 0, "one fit is told once"
    assert Finding.objects.count() == 1
    with pytest.raises(NotFound, match="p77"):
        services.write("p77", name="x", note="", by="alice@example.com")
    with pytest.raises(NotFound):
        selectors.card("p77")
    with pytest.raises(Invalid, match="121"):
        services.write("p1", name="x" * 121, note="", by="alice@example.com")
    key = services.as_segment(first.key, title="Persona: tyres", by="alice@example.com")
    assert (
        services.as_segment(first.key, title="again", by="alice@example.com") == key == f"persona-{first.key}"
    )
    segment_services.refresh([key])
    assert segments.segment(key).n_members == EACH - 1


def test_words_are_theirs_and_quotes_only_of_those_who_let_us_ask(crowd: Say) -> None:
    found()
    card = card_of("k1n0")
    words = {w.word for w in card.profile.words}
    assert {"shine", "polish"} <= words
    assert not words & {"grip", "wheels", "number"}
    kept = json.dumps(card.profile.as_json())
    assert "smooth polish" not in kept, "words of many are kept, and no text"
    assert all(word.n >= 5 for word in card.profile.words)
    quotes = selectors.quotes(card, 50)
    assert quotes
    asked = {of(f"k1n{n}") for n in range(0, EACH, 3)}
    assert {q.person for q in quotes} <= asked
    # Whoever takes it back is not quoted at once, before any model has run again.
    taken_back = quotes[0].person
    who = next(n for n in range(0, EACH, 3) if of(f"k1n{n}") == taken_back)
    crowd(answer(f"k1n{who}", "consent_withdrawn", "research", "email", days_ago=1))
    assert taken_back not in {q.person for q in selectors.quotes(card, 50)}


@pytest.mark.parametrize(
    "name", ["krebs", "schwanger", "gewerkschaft", "rollstuhl", "umstandsmode", "halal_food"]
)
def test_names_of_special_categories_are_closed_in_any_language(name: str) -> None:
    assert selectors.is_closed(name)
    assert not selectors.is_closed("reifen")


def test_what_speaks_of_a_special_category_is_neither_chosen_nor_shown_as_a_quote(
    say: Say,
) -> None:
    texts = [
        "I like these wheels for my trips since the cancer came back.",
        "I like these wheels for the trip to sea.",
    ]
    table = pa.table(
        {"seq": [1, 2], "key": ["p1"] * 2, "person": [1, 2], "language": ["en"] * 2, "name": ["survey_answered"] * 2,
         "text": texts}
    )  # fmt: skip
    assert speaking.spoken(table, pa.array([1, 2]))["p1"][1] == (2,)
    who = ("k1n0", "k1n1")
    say(
        *(
            row(f"s-{w}", "survey_answered", w, 5, text=t, properties=NPS)
            for w, t in zip(who, texts, strict=True)
        ),
        *(answer(w, "consent_granted", "research", "email") for w in who),
    )
    for w in who:
        people_services.write_scores(_score(of(w), "p1"))
    assert [q.text for q in selectors.quotes(_card((1, 2, 3, 4)), 50)] == texts[1:]


def test_what_others_said_is_neither_read_nor_quoted(say: Say) -> None:
    texts = {
        "k1n0": "> I broke all of it and will sue them\nThese wheels are fine for me, I say.",
        "k1n1": "RT @bo These wheels are a joke, they are!",
        "k1n2": "> Are these wheels any good at all?",
    }
    say(*(row(f"s-{w}", "survey_answered", w, 5, text=t, properties=NPS) for w, t in texts.items()))
    say(*(answer(w, "consent_granted", "research", "email") for w in texts))
    for w in texts:
        people_services.write_scores(_score(of(w), "p1"))
    mine = ["These wheels are fine for me, I say."]
    assert [q.text for q in selectors.quotes(_card((1, 2, 3)), 50)] == mine
    con = lake.connect()
    try:
        lake.give(con, "identity", people.identity_arrow())
        lake.give(
            con, "member", pa.table({"person": [of(w) for w in texts], "key": ["p1"] * 3, "fit": [0.9] * 3})
        )
        asked = {"own_words": [""], "most": 9, "each": 9}
        read = query.run(con, query.load("rapport.personas", "texts"), asked).to_arrow_table()
    finally:
        con.close()
    assert read["text"].to_pylist() == mine


def test_what_fewer_than_five_of_a_persona_show_is_not_told(crowd: Say) -> None:
    items = [{"category": "bulbs", "unit_price_minor": 900, "quantity": 1}]
    # Six of the others and one of these bought bulbs.
    for who in ("k0n0", *(f"k1n{n}" for n in range(6))):
        crowd(
            row(f"b-{who}", "order_placed", who, 30, channel="web", value_minor=900, currency="EUR",
                properties={"order_id": f"{who}-b", "items": items})
        )  # fmt: skip
    found()
    few, many = ({one.name: one.n for one in card_of(w).profile.lifts} for w in ("k0n1", "k1n1"))
    assert many["bulbs"] == 6
    assert "bulbs" not in few
    assert min(*few.values(), *many.values()) >= rules.PEOPLE_LEAST


def test_who_refuses_estimates_is_in_no_persona_and_withdrawal_takes_them_out(crowd: Say) -> None:
    found()
    assert not people.person(of("k0n7")).scores
    card = card_of("k0n8")
    assert of("k0n8") in {m.id for m in selectors.members(card.key, 0, 500).rows}
    crowd(answer("k0n8", "consent_withdrawn", "profiling", days_ago=1))
    assert of("k0n8") not in {m.id for m in selectors.members(card.key, 0, 500).rows}
    assert "persona" not in {s.name for s in people.person(of("k0n8")).scores}
    assert selectors.card(card.key).n == EACH - 2


def test_a_card_keeps_name_and_note_when_it_is_found_anew_and_says_that_it_grew(crowd: Say) -> None:
    found()
    key = card_of("k1n0").key
    services.write(key, name="  Polishers ", note="Ask for reviews.", by="alice@example.com")
    crowd(*(event for n in range(100, 160) for event in buyer(f"k1n{n}", 1, n - 100)))
    with clock.frozen(NOW + dt.timedelta(days=1)):
        found()
    card = selectors.card(key)
    assert (card.name, card.note, card.changed_by) == ("Polishers", "Ask for reviews.", "alice@example.com")
    assert card_of("k1n150").key == key
    assert card.moved is not None
    assert card.moved.is_notable
    assert card.moved.now > card.moved.before
    assert next(c.key for c in selectors.moved()) in {c.key for c in selectors.cards()}
    assert card.moved.profile < 0.1
    assert selectors.names() == {key: "Polishers"}
    assert selectors.parameters() == {"first_free": 3}


def test_where_nothing_comes_back_nobody_has_a_persona_any_more(say: Say) -> None:
    say(*(event for n in range(30) for event in buyer(f"k0n{n}", 0, n)))
    someone = of("k0n0")
    people_services.write_scores(_score(someone, "p9"))
    found()
    told = selectors.finding()
    assert told is not None
    assert told.chosen is None
    assert selectors.cards() == []
    assert not [s for s in people.person(someone).scores if s.name == "persona"]


def _card(quotes: tuple[int, ...]) -> selectors.CardView:
    return selectors.CardView(
        key="p1", name="", note="", changed_by="", changed_at=None, first_found_at=NOW, found_at=NOW, n=2, n_found=2,
        profile=rules.Profile(1.0, 0.9, 1.0, 2, 0.9, 0.9, quotes=quotes), moved=None, is_current=True, is_new=False,
    )  # fmt: skip


def _score(person: int, label: str) -> pa.Table:
    row = {
        "person": person, "name": "persona", "value": 0.9, "unit": "probability", "as_of": NOW - dt.timedelta(days=3),
        "model": "persona", "version": "1", "label": label, "reason": "",
    }  # fmt: skip
    return pa.Table.from_pylist([row], schema=SCORE)


def test_the_same_words_are_quoted_once_and_each_person_once() -> None:
    said = [
        "The parcel came to the minute, as they said.",
        "the parcel came to the minute, as they said. ",
        "My wipers still work as well as on the first day.",
    ]
    texts = pa.table(
        {
            "seq": [1, 2, 3, 4],
            "person": [8, 16, 24, 24],
            "name": [selectors.QUOTABLE[0]] * 4,
            "text": [*said, "The fitting was done on time too."],
        }
    )
    worth = np.array([3.0, 2.0, 1.0, 0.5])
    may = pa.array([8, 16, 24], pa.int64())
    assert speaking._quotes(texts, np.ones(4, np.bool_), worth, may) == (1, 3)
