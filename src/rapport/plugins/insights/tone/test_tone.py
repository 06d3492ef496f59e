"""What is said of tone: feelings, urgency, and offence that is neither displeasure nor identity."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pyarrow as pa
import pytest

from rapport.insights.contract import Context
from rapport.kit.errors import Invalid
from rapport.plugins.insights.tone.plugin import plugin
from rapport.plugins.insights.tone.reading import FEATURES, LABELS, head

CONTEXT = Context(now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC), seed=1, parameters={"ridge": 1.0})
IDENTITY = (
    "gay lesbian homosexual transgender queer jew jewish muslim arab black african asian gypsy "
    "christian catholic turkish schwul lesbisch jude juden türke schwarz behindert homosexuel juif "
    "musulman noir arabe judío musulmán negro gitano ebreo musulmano nero judeu muçulmano joods "
    "moslim breast penis vagina sex rape disabled autistic cancer HIV"
)
NOTHING = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})


def said(*text: str | None, model: bytes | None = None) -> list[dict[str, Any]]:
    """Of each text a dictionary: the row of each name."""
    table = pa.table({"seq": range(len(text)), "text": pa.array(text, pa.string())})
    rows = plugin.score(model or plugin.fit(NOTHING, CONTEXT), table, CONTEXT).to_pylist()
    assert [row["seq"] for row in rows] == [k for k in range(len(text)) for _ in LABELS]
    return [{row["name"]: row for row in rows if row["seq"] == k} for k in range(len(text))]


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("I am absolutely furious, this is outrageous", "anger"),
        ("Ich bin sehr enttäuscht und traurig.", "disappointment"),
        ("Sono preoccupata, ho paura che sia pericoloso", "worry"),
        ("We are so happy and excited, I love it!", "joy"),
        ("Muchas gracias, se agradece", "gratitude"),
        ("고맙습니다, 감사합니다", "gratitude"),
        ("الفرع مغلق اليوم", "none"),
        ("The parcel weighs two kilograms.", "none"),
    ],
)
def test_it_names_the_feeling_that_is_shown(text: str, emotion: str) -> None:
    (found,) = said(text)
    assert found["emotion"]["label"] == emotion, found["emotion"]


@pytest.mark.parametrize(
    "text",
    [
        "The brakes failed and there is smoke, we are stranded on the motorway!",
        "URGENT: you charged my card twice, please answer immediately",
        "Dringend! Wir sind auf der Autobahn liegengeblieben, die Bremse geht nicht",
        "C'est urgent, vous m'avez débité deux fois et personne ne répond",
        "Me han cobrado dos veces y nadie responde, es urgente",
        "고속도로에서 차가 멈췄어요. 위험합니다 당장 연락 주세요",
    ],
)
def test_what_cannot_wait_is_urgent(text: str) -> None:
    (found,) = said(text)
    assert found["urgency"]["label"] == "high", found["urgency"]
    assert found["urgency"]["value"] > 0.6
    assert json.loads(found["urgency"]["detail"])["words"]


def test_a_question_is_less_urgent_than_danger_and_more_than_thanks() -> None:
    danger, asks, thanks = said(
        "Smoke from the engine, it is dangerous!", "When do you open?", "Thank you so much, it works great!"
    )
    assert danger["urgency"]["value"] > asks["urgency"]["value"] > thanks["urgency"]["value"]
    assert asks["urgency"]["label"] == "normal"
    assert thanks["urgency"]["label"] == "low"


@pytest.mark.parametrize(
    "text",
    [
        "You are all idiots",
        "fuck you and your company",
        "Ihr seid Arschlöcher",
        "bande de connards",
        "Sois unos gilipollas",
        "siete degli stronzi",
        "filhos da puta",
        "klootzakken zijn jullie",
        "이 개새끼들아",
        "يا ابن الكلب",
    ],
)
def test_insults_offend(text: str) -> None:
    (found,) = said(text)
    assert found["offensive"]["label"] == "yes", found["offensive"]
    assert json.loads(found["offensive"]["detail"])["words"]
    assert plugin.explain(found["offensive"]).startswith("Insults or swears coarsely (")


@pytest.mark.parametrize(
    "text",
    [
        "This is the worst company ever, terrible, awful, disgusting service. I hate it and I am furious!",
        "Das ist eine Frechheit, absolut katastrophal und unverschämt, ich bin stinksauer!",
        "C'est honteux, scandaleux, lamentable, une arnaque !",
        "Es una vergüenza, pésimo servicio, estoy harto.",
        "정말 최악이고 너무 화가 납니다. 실망했어요.",
    ],
)
def test_displeasure_is_no_offence(text: str) -> None:
    (found,) = said(text)
    assert found["offensive"]["label"] == "no", found["offensive"]
    assert found["offensive"]["value"] < 0.1


@pytest.mark.parametrize("word", IDENTITY.split())
def test_who_somebody_is_offends_nobody(word: str) -> None:
    (found,) = said(f"{word}")
    assert found["offensive"]["label"] == "no", found["offensive"]
    assert found["offensive"]["value"] < 0.1


def test_offence_is_weighed_by_insults_and_swearing_alone() -> None:
    weights = head("offensive").weights
    others = [k for k, name in enumerate(FEATURES) if name not in ("insult", "swearing")]
    assert (weights[others] == 0).all()


@pytest.mark.parametrize("text", ["", None, "...", "http://a.example @ana"])
def test_a_text_that_says_nothing_has_no_tone(text: str | None) -> None:
    (found,) = said(text)
    assert [found[name]["label"] for name in LABELS] == ["none", "low", "no"]


def test_one_file_teaches_all_three_and_the_label_says_which() -> None:
    rows = [(f"the flurb {k} again", label) for k in range(40) for label in ("anger", "high", "yes")]
    rows += [(f"the wibble {k} again", label) for k in range(40) for label in ("joy", "low", "no")]
    table = pa.table({"text": [t for t, _ in rows], "label": [y for _, y in rows]})
    bad, good = said("the flurb again", "the wibble again", model=plugin.fit(table, CONTEXT))
    assert [bad[name]["label"] for name in LABELS] == ["anger", "high", "yes"]
    assert [good[name]["label"] for name in LABELS] == ["joy", "low", "no"]
    names = {m.name for m in plugin.backtest(table, CONTEXT).metrics}
    assert {f"macro-F1, {name}, as shipped" for name in LABELS} <= names


def test_what_is_not_taught_stays_as_shipped() -> None:
    table = pa.table({"text": ["flurb one", "wibble two"], "label": ["high", "low"]})
    text = "I am furious, you idiots"
    (before,), (after,) = said(text), said(text, model=plugin.fit(table, CONTEXT))
    assert before["emotion"] == after["emotion"]
    assert before["offensive"] == after["offensive"]


def test_an_unknown_label_and_other_bytes_are_refused() -> None:
    with pytest.raises(Invalid, match="'cross' is no emotion, urgency or offence"):
        plugin.fit(pa.table({"text": ["x"], "label": ["cross"]}), CONTEXT)
    with pytest.raises(Invalid):
        said("x", model=b"nonsense")
