"""The firm's catalogue of aspects: offered at first, then its own; found ones wait for a yes or a no."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from rapport.events import services as events
from rapport.insights import selectors, services
from rapport.insights.models import AnnotationCursor, Aspect
from rapport.insights.services import finding, keeping
from rapport.insights.tests.conftest import NOW, Say, loaded, post
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound

ALICE = "alice@example.org"
LONG = dt.timedelta(days=400)


def keys() -> list[str]:
    return [a.key for a in selectors.aspects()]


def said(aspect: str, label: str, n: int, days_ago: float, first: int) -> None:
    """Annotations as the model would write them."""
    at = NOW - dt.timedelta(days=days_ago)
    events.annotate(
        pa.table(
            {
                "seq": pa.array(range(first, first + n), pa.int64()),
                "subject": pa.array([1] * n, pa.int64()),
                "ts": pa.array([at] * n, pa.timestamp("us", tz="UTC")),
                "name": pa.array([f"aspect:{aspect}"] * n),
                "label": pa.array([label] * n),
                "value": pa.array([0.0] * n),
                "probability": pa.array([0.9] * n),
                "model": pa.array(["aspect"] * n),
                "version": pa.array(["1"] * n),
                "detail": pa.array([None] * n, pa.string()),
            }
        )
    )
    loaded()


def test_at_first_the_offered_aspects_are_the_catalogue(db: None) -> None:
    assert (
        keys()
        == [a.key for a in selectors.aspects()]
        == sorted(["delivery", "price", "quality", "service", "website", "returns", "availability", "fit"])
    )
    assert set(selectors.aspect("delivery").words) == {"en", "de", "fr", "es", "it", "pt", "ko"}
    assert selectors.catalogue() == {}, "the model reads by its own defaults until the firm changes any"
    assert Aspect.objects.count() == 0


def test_what_is_offered_may_be_read_of_anybody(say: Say) -> None:
    for one in selectors.aspects():
        services.change_aspect(one.key, one.title, one.words, ALICE)
        services.change_aspect(one.key, f"{one.title} here", one.words, ALICE)


def test_the_first_change_makes_the_offer_the_firms_own(say: Say) -> None:
    key = services.declare_aspect("Packaging", {"en": ["packaging", "box*", " box* "], "de": []}, ALICE)
    assert key == "packaging"
    assert len(keys()) == 9
    view = selectors.aspect("packaging")
    assert (view.title, dict(view.words)) == ("Packaging", {"en": ["packaging", "box*"]})
    catalogue = selectors.catalogue()["catalogue"]
    assert set(catalogue) == set(keys())
    given = keeping.context(keeping.insight("aspect")).parameters["catalogue"]
    assert given["packaging"]["words"] == {"en": ["packaging", "box*"]}


def test_a_change_has_every_text_read_again(say: Say) -> None:
    say(post("1", "ana", 1, "The wrapping was torn."))
    services.run(["aspect"])
    cursor = AnnotationCursor.objects.get(model="aspect")
    assert cursor.done_seq > 0
    services.declare_aspect("Wrapping", {"en": ["wrapping"]}, ALICE)
    cursor.refresh_from_db()
    assert cursor.done_seq == 0
    services.run(["aspect"])
    fares = selectors.fares(NOW - LONG, NOW)
    assert set(fares) == {"wrapping"}
    assert fares["wrapping"].n == 1
    services.drop_aspect("wrapping", ALICE)
    services.run(["aspect"])
    assert selectors.fares(NOW - LONG, NOW) == {}, "what the catalogue no longer holds is taken back"


def test_a_dropped_aspect_can_be_taken_back(say: Say) -> None:
    services.drop_aspect("fit", ALICE)
    assert "fit" not in keys()
    assert "fit" not in selectors.catalogue()["catalogue"]
    services.accept_aspect("fit", ALICE)
    assert "fit" in keys()


def test_nothing_is_read_again_where_nothing_changed(say: Say) -> None:
    services.declare_aspect("Wrapping", {"en": ["wrapping"]}, ALICE)
    say(post("1", "ana", 1, "The wrapping was torn."))
    services.run(["aspect"])
    services.change_aspect("wrapping", "Wrapping", {"en": ["wrapping"]}, ALICE)
    assert AnnotationCursor.objects.get(model="aspect").done_seq > 0


@pytest.mark.parametrize(
    ("title", "words", "error", "message"),
    [
        ("", {"en": ["x1"]}, Invalid, "needs a title"),
        ("...", {"en": ["x1"]}, Invalid, "no letter"),
        ("Box", {}, Invalid, "needs words"),
        ("Box", {"english": ["box"]}, Invalid, "no language"),
        ("Box", {"en": ["…"]}, Invalid, "no word"),
        ("Box", {"en": ["b*"]}, Invalid, "nearly every text"),
        ("Delivery", {"en": ["box"]}, Conflict, "already"),
        ("Religion", {"en": ["church"]}, Denied, "not inferred"),
        ("Schwangerschaft", {"de": ["bauch"]}, Denied, "not worked out"),
        ("Guests", {"en": ["guest", "muslim*"]}, Denied, "not worked out"),
    ],
)
def test_what_is_no_aspect_is_refused_in_words(
    say: Say, title: str, words: dict[str, list[str]], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        services.declare_aspect(title, words, ALICE)
    assert keys() == [a.key for a in selectors.aspects()]
    assert "box" not in keys()


def test_an_unknown_aspect_is_named_with_those_there_are(db: None) -> None:
    with pytest.raises(NotFound, match="delivery"):
        services.drop_aspect("weather", ALICE)


def test_how_aspects_fare_with_interval_and_by_month(say: Say) -> None:
    say(*[post(str(k), "ana", 1, f"text {k}") for k in range(30)])
    said("delivery", "negative", 6, 40, 1)
    said("delivery", "positive", 2, 1, 7)
    said("delivery", "neutral", 1, 1, 9)
    said("price", "positive", 1, 1, 10)
    fares = selectors.fares(NOW - LONG, NOW)
    delivery = fares["delivery"]
    assert (delivery.n, delivery.n_negative, delivery.n_neutral, delivery.n_positive) == (9, 6, 1, 2)
    positive = delivery.positive
    assert positive is not None
    assert positive.low < positive.value == 0.25 < positive.high
    assert fares["price"].n == 1
    assert [(m.month.isoformat(), m.fare.n) for m in selectors.months("delivery", NOW - LONG, NOW)] == [
        ("2026-01-01", 6),
        ("2026-03-01", 3),
    ]


# Finding


def texts(*given: tuple[str, bool, str]) -> pa.Table:
    return pa.table(
        {
            "text": [t for t, _, _ in given],
            "is_judged": [j for _, j, _ in given],
            "language": [lang for _, _, lang in given],
        }
    )


def test_nouns_that_are_judged_are_found_and_others_are_not() -> None:
    given = texts(
        *[(f"The manual is awful, number {k}", True, "en") for k in range(12)],
        *[(f"Die Anleitung ist schlimm {k}", True, "de") for k in range(9)],
        *[("설명서가 최악이에요", True, "ko"), ("설명서는 별로", True, "ko")] * 5,
        *[(f"I saw the bridge today {k}", False, "en") for k in range(40)],
        *[(f"Ich sah die Brücke {k}", False, "de") for k in range(40)],
        *[("오늘 다리를 봤어요", False, "ko")] * 20,
    )
    found = {f.word: f for f in finding.found_in(given)}
    assert set(found) == {"manual", "anleitung", "설명서"}
    assert (found["manual"].n, found["manual"].n_judged, found["anleitung"].language) == (12, 12, "de")
    assert finding.found_in(given.slice(0, 0)) == []


def test_what_is_longer_than_a_name_may_be_is_no_noun() -> None:
    long = "donau" + "dampf" * 12
    given = texts(
        *[(f"The {long} is awful {k}", True, "en") for k in range(12)],
        *[(f"I saw it today {k}", False, "en") for k in range(40)],
    )
    assert finding.found_in(given) == []


def test_two_who_look_at_once_find_it_once(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    say(
        *[post(f"a{k}", "ana", 2, f"The manual is terrible, I hate it! {k}") for k in range(12)],
        *[post(f"c{k}", "chi", 2, f"We walked over the bridge in town at {k}") for k in range(30)],
    )
    services.run(["language", "sentiment"])

    def theirs_meanwhile() -> list[Aspect]:
        Aspect.objects.create(key="manual", title="Manual", is_declared=False, changed_at=NOW)
        return []

    monkeypatch.setattr(finding, "waiting", theirs_meanwhile)
    assert "manual" not in services.look_for_aspects()
    assert Aspect.objects.filter(key="manual").count() == 1


def test_what_is_found_waits_for_a_yes_and_a_no_is_remembered(say: Say) -> None:
    say(
        *[post(f"a{k}", "ana", 2, f"The manual is terrible, I hate it! {k}") for k in range(12)],
        *[post(f"b{k}", "bo", 2, f"The hinge is awful and broken, I hate it! {k}") for k in range(12)],
        *[post(f"c{k}", "chi", 2, f"We walked over the bridge in town at {k}") for k in range(30)],
    )
    services.run(["language", "sentiment"])
    fresh = services.look_for_aspects()
    assert {"manual", "hinge"} <= set(fresh)
    assert "delivery" in keys(), "what waits does not take the place of what is offered"
    assert not {"manual", "hinge"} & set(keys())
    assert [(a.key, a.n_found) for a in selectors.waiting()][:2] == [("hinge", 12), ("manual", 12)]
    quotes = selectors.quoted(["manual"])["manual"]
    assert len(quotes) == 3
    assert all("manual" in q for q in quotes)
    services.accept_aspect("manual", ALICE)
    services.drop_aspect("hinge", ALICE)
    assert "manual" in keys()
    assert selectors.waiting() == [] or "hinge" not in [a.key for a in selectors.waiting()]
    assert not {"manual", "hinge"} & set(services.look_for_aspects())


def test_labelled_targets_are_judged_from_a_file(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    lines = [
        "The $T$ is awful,battery,-1",
        "A lovely screen,screen,positive",
        "Nothing here,keyboard,neutral",
    ]
    file.write_text("text,aspect,label\n" + "\n".join(lines), encoding="utf-8")
    found = services.backtest("aspect", file)
    assert found["n"] == 2, "a target that stands nowhere is left out"
    marked = tmp_path / "marked.csv"
    marked.write_text("text,label\nThe $T$ is awful,negative\nA lovely $T$,positive\n", encoding="utf-8")
    assert services.backtest("aspect", marked)["n"] == 2
