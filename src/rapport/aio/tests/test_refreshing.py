"""Statements of everybody: what is enough, what shows it, what comes first, what is never stated."""

from __future__ import annotations

import pytest

from rapport.aio import rules, selectors, services
from rapport.aio.models import Statement
from rapport.aio.tests.conftest import ANA, BO, CHI, NOON, Say, annotate, everybody, fond_of, row, told, wrote
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.staff import services as staff_services

LATE = "The parcel came two weeks late. Nobody was home."


def of(ref: str) -> dict[str, selectors.StatementView]:
    return {f"{v.kind}:{v.about}": v for v in selectors.of_person(people.person_id(ref))}


def scores(ref: str) -> dict[str, float]:
    person = people.person(ref)
    return {s.name: s.value for s in person.scores if s.model == "aio" and not s.is_stale}


def test_an_interest_shows_what_was_bought_read_and_searched(say: Say) -> None:
    say(
        *everybody(),
        *fond_of(ANA, "bulbs"),
        row("page_viewed", ANA, 3, channel="web", properties={"path": "/c/bulbs?x=1", "title": "Bulbs"}),
        row("site_searched", ANA, 3, channel="web", properties={"query": "Bulbs H7"}),
    )
    done = services.refresh()
    bulbs = of(ANA)["interest:bulbs"]
    assert (bulbs.origin, bulbs.label, bulbs.title) == ("observed", "interested", "Bulbs")
    assert 0.5 < bulbs.low < bulbs.value < bulbs.high < 1
    assert bulbs.n == 8
    assert {(e.how, e.quote) for e in bulbs.evidence} == {
        ("bought", "Nordling bulbs"), ("read", "Bulbs"), ("searched", "Bulbs H7"),
    }  # fmt: skip
    assert all(e.at.startswith("2026-02-2") for e in bulbs.evidence)
    assert scores(ANA) == pytest.approx({"interest:bulbs": bulbs.value})
    assert of("customer:other1") == {}, "who turns to everything now and then stands out by nothing"
    assert done.n_people == 1


def test_an_opinion_quotes_and_dates_what_was_written(say: Say) -> None:
    span = say(wrote(ANA, LATE, 3), wrote(BO, "It has not arrived on time or late, I forgot.", 3))
    services.refresh()
    late = of(ANA)["opinion:on_time"]
    assert (late.label, late.origin, late.n) == ("against", "inferred", 1)
    assert late.value < late.high < 0
    assert [(e.quote, e.at, e.source, e.how, e.seq) for e in late.evidence] == [
        (LATE, "2026-02-27T12:00:00Z", "email", "said", span.first)
    ]
    assert scores(ANA) == pytest.approx({"opinion:on_time": late.value})


NO_EVIDENCE = (
    "RT @shop: two weeks late again",
    "> The parcel came two weeks late\nThat was not me.",
    "Two weeks late, how lovely /s",
    "Two weeks late 🙄",
    "It came early, and the other one two weeks late.",
    "It was not two weeks late.",
    "Two weeks late for the church bazaar.",
    "Zwei Wochen zu spät, ich bin schwanger und brauche es.",
)


def test_what_is_no_evidence(say: Say) -> None:
    say(*(wrote(f"customer:{n}", text) for n, text in enumerate(NO_EVIDENCE)), wrote(ANA, LATE))
    assert services.refresh().n_people == 1
    stated = [text for n, text in enumerate(NO_EVIDENCE) if of(f"customer:{n}")]
    assert stated == []
    assert Statement.objects.count() == 1


def test_a_sentiment_on_the_other_side_makes_a_phrase_doubtful(say: Say) -> None:
    span = say(wrote(ANA, LATE), wrote(BO, LATE))
    annotate(span.first, "sentiment", "positive", 0.9)
    annotate(span.first + 1, "sentiment", "negative", -0.9)
    services.refresh()
    assert "opinion:on_time" not in of(ANA)
    assert "opinion:on_time" in of(BO)


def test_aspects_that_a_model_read_become_attitudes_with_their_trend(say: Say) -> None:
    days = (300, 280, 20, 10)
    span = say(*(wrote(ANA, f"On service, letter {n}", d) for n, d in enumerate(days)), wrote(BO, "Service."))
    for n, value in enumerate((0.95, 0.9, -0.95, -0.98)):
        label = "positive" if value > 0 else "negative"
        annotate(span.first + n, "aspect:service", label, value, {"quote": f"letter {n}"})
    services.refresh()
    assert of(ANA) == {}, "who says both has no stance"
    annotate(span.first, "aspect:service", "negative", -0.9, {"quote": "letter 0"})
    annotate(span.first + 1, "aspect:service", "", 0.0)
    services.refresh()
    service = of(ANA)["attitude:service"]
    assert (service.label, service.n, service.origin) == ("against", 3, "inferred")
    assert {e.quote for e in service.evidence} == {"letter 0", "letter 2", "letter 3"}
    assert "attitude:service" not in of(BO)


def test_what_is_said_twice_counts_once_and_what_the_text_denies_needs_more(say: Say) -> None:
    span = say(
        wrote(ANA, "@shop The delivery was awful"),
        wrote(ANA, "the delivery was  awful", 2),
        wrote(BO, "So, so."),
    )
    for seq in range(span.first, span.first + 3):
        annotate(seq, "aspect:delivery", "negative", -0.95)
    annotate(span.first + 2, "sentiment", "positive", 0.9)
    services.refresh()
    assert of(ANA)["attitude:delivery"].n == 1
    assert of(BO) == {}


def test_a_public_post_that_does_not_name_the_firm_is_of_something_else(say: Say) -> None:
    staff_services.create_owner(
        name="Alice", email="alice@example.com", password="seven quiet otters swim",
        organisation="Otter Tools GmbH", timezone="Europe/Madrid", language="en", currency="EUR",
    )  # fmt: skip
    say(
        row("post_published", ANA, text="My album arrived two weeks late"),
        row("post_published", BO, text="My order from otter tools came two weeks late"),
        wrote(CHI, "My order came two weeks late"),
    )
    services.refresh()
    assert [ref for ref in (ANA, BO, CHI) if "opinion:on_time" in of(ref)] == [BO, CHI]


def test_an_answer_comes_before_what_is_read(say: Say) -> None:
    asked = next(q for q in selectors.questions() if q.key == "on_time")
    answers = (rules.Answered("delivery", 1, 5),)
    services.change_question(
        rules.Asked(asked.key, asked.title, asked.is_promise, asked.words, answers), by="alice@example.com"
    )
    answer = {"survey": "s", "question": "delivery", "asked": "Was it on time?"}
    say(
        wrote(ANA, LATE),
        row("survey_answered", ANA, 30, properties=answer | {"score": 1}),
        row("survey_answered", ANA, 20, properties=answer | {"score": 4}),
        row("survey_answered", BO, 20, properties=answer | {"score": 9}),
    )
    services.refresh()
    found = of(ANA)["opinion:on_time"]
    assert (found.origin, found.value, found.low, found.high) == ("declared", 0.5, 0.5, 0.5)
    assert found.evidence[0].quote == "Was it on time? 4 (1 … 5)"
    assert scores(ANA) == {"opinion:on_time": 0.5}
    assert of(BO) == {}, "an answer beyond the scale is none"
    kept = Statement.objects.filter(about="on_time").values_list("origin", flat=True)
    assert set(kept) == {"declared", "inferred"}, "neither overwrites the other"


def test_wishes_and_declared_traits_are_interests(say: Say) -> None:
    say(
        told(ANA, interests=["Classic cars", "Halal food"]),
        row("preference_stated", BO, 5, properties={"name": "topics", "value": '["advice"]'}),
        row("preference_stated", CHI, 5, properties={"name": "topics", "value": '["advice"]'}),
        row("preference_stated", CHI, 4, properties={"name": "topics", "value": "[]"}),
    )
    services.refresh()
    assert {k: (v.origin, v.value) for k, v in of(ANA).items()} == {
        "interest:classic_cars": ("declared", 1.0)
    }
    assert of(BO)["interest:advice"].title == "Advice"
    assert of(CHI) == {}


def test_communities_and_words_of_the_catalogue_name_topics(say: Say) -> None:
    say(
        *everybody(),
        *(wrote(CHI, f"Brake pads, number {week}", 3 + 7 * week) for week in range(8)),
        *(row("community_posted", ANA, 4 + 7 * w, properties={"space": "workshop"}) for w in range(5)),
        row("community_joined", BO, 4, properties={"space": "workshop"}),
    )
    services.refresh()
    assert {e.how for e in of(CHI)["interest:brake_pads"].evidence} == {"said"}
    assert {e.how for e in of(ANA)["interest:workshop"].evidence} == {"joined"}
    assert of(BO) == {}, "one week is not enough"


def test_sensitive_topics_are_never_stated(say: Say) -> None:
    say(
        *everybody(),
        *fond_of(ANA, "Halal meat"),
        *fond_of(BO, "Umstandsmode"),
        *fond_of(CHI, "wheelchair parts"),
    )
    services.refresh()
    assert of(ANA) == of(BO) == of(CHI) == {}
    assert {one["about"] for one in services.refresh().counts}.isdisjoint(
        {"halal_meat", "umstandsmode", "wheelchair_parts"}
    )


def test_of_public_authors_and_visitors_nothing_is_stated(say: Say) -> None:
    say(
        row("post_published", "mastodon:zed", text=LATE),
        *everybody(),
        *(row("page_viewed", "anonymous:1", 2 + 7 * w, properties={"path": "/c/bulbs"}) for w in range(8)),
    )
    services.refresh()
    assert of("mastodon:zed") == of("anonymous:1") == {}
    assert not Statement.objects.exists()


def test_merging_joins_and_unmerging_gives_back(say: Say) -> None:
    say(*everybody(), *fond_of(ANA, "bulbs"), wrote(BO, LATE))
    services.refresh()
    ana, bo = of(ANA), of(BO)
    assert (set(ana), set(bo)) == ({"interest:bulbs"}, {"opinion:on_time"})
    done = people_services.merge(people.subject_of(ANA), people.subject_of(BO), evidence="seen", by="alice")
    assert of(ANA) == of(BO) == ana | bo
    services.refresh()
    assert of(ANA).keys() == ana.keys() | bo.keys()
    people_services.unmerge(done.edge, by="alice")
    assert (of(ANA).keys(), of(BO).keys()) == (ana.keys(), bo.keys())
    assert of(BO)["opinion:on_time"].evidence == bo["opinion:on_time"].evidence


def test_what_is_said_wrong_goes_at_once_and_is_not_worked_out_again(say: Say) -> None:
    say(*everybody(), *fond_of(ANA, "bulbs"), wrote(ANA, LATE))
    services.refresh()
    services.not_so(ANA, "opinion", "on_time", by="person")
    assert of(ANA)["opinion:on_time"].state == "said_wrong"
    assert of(ANA)["opinion:on_time"].evidence == ()
    assert scores(ANA).keys() == {"interest:bulbs"}
    assert not Statement.objects.filter(about="on_time").exists()
    done = services.refresh()
    assert scores(ANA).keys() == {"interest:bulbs"}
    assert not Statement.objects.filter(about="on_time").exists()
    assert "on_time" not in {one["about"] for one in done.counts}
    assert services.take_back(ANA, "opinion", "on_time", by="person") == 1
    services.refresh()
    assert of(ANA)["opinion:on_time"].state == "stands"


def test_what_is_put_right_stands_before_everything(say: Say) -> None:
    say(wrote(ANA, LATE))
    services.refresh()
    services.correct(ANA, "opinion", "on_time", 0.8, by="person")
    services.refresh()
    right = of(ANA)["opinion:on_time"]
    assert (right.state, right.value, right.origin, right.label) == ("corrected", 0.8, "declared", "for")
    assert scores(ANA) == {"opinion:on_time": 0.8}
    with pytest.raises(Exception, match="is no interest"):
        services.correct(ANA, "interest", "bulbs", -0.5, by="person")


def test_what_is_no_longer_shown_goes_with_the_next_refresh(say: Say) -> None:
    say(wrote(ANA, LATE))
    services.refresh()
    assert not services.is_due()
    with clock.frozen(NOON.replace(year=2029)):
        assert services.is_due()
        services.refresh()
        assert of(ANA) == {}
        assert scores(ANA) == {}
    assert not Statement.objects.exists()


def test_counts_are_of_the_people_behind_them(say: Say) -> None:
    say(
        *(wrote(f"customer:late{n}", LATE) for n in range(4)),
        *(wrote(f"customer:fast{n}", "Fast delivery, thanks") for n in range(2)),
    )
    services.refresh()
    found = selectors.overall()
    assert found is not None
    (on_time,) = found.opinions
    assert (on_time.standing.n, on_time.standing.n_positive, on_time.standing.n_negative) == (6, 2, 4)
    assert on_time.is_promise
    assert on_time.has_score
    assert people.n_within(people.Within("opinion:on_time", label="against")) == 4


def test_what_has_no_name_or_one_too_long_is_no_interest(say: Say) -> None:
    long = "Ersatzteile und Zubehör für Scheibenwischer aller Baujahre"
    say(
        *everybody(),
        *fond_of(ANA, long),
        *fond_of(BO, "-"),
        *(row("community_posted", CHI, 4 + 7 * w, properties={"space": long}) for w in range(5)),
        *(row("page_viewed", CHI, 3 + 7 * w, properties={"path": f"/{long}/x"}) for w in range(5)),
    )
    services.refresh()
    assert of(ANA) == of(BO) == of(CHI) == {}
    assert not Statement.objects.exists()


def test_a_text_in_a_language_without_a_list_of_what_is_sensitive_is_no_evidence(say: Say) -> None:
    span = say(wrote(ANA, "Ik ben zwanger, two weeks late again."), wrote(BO, LATE), wrote(CHI, LATE))
    annotate(span.first, "language", "nl", 1.0)
    annotate(span.first + 1, "language", "en", 1.0)
    services.refresh()
    assert of(ANA) == {}
    assert of(BO).keys() == of(CHI).keys() == {"opinion:on_time"}
