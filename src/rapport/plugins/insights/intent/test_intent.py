"""What is said of intents: labels, words, probabilities, nine languages, and learning from labels."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rapport.insights.contract import Context
from rapport.kit.errors import Invalid
from rapport.kit.texts import hashing
from rapport.plugins.insights.intent import helping
from rapport.plugins.insights.intent.plugin import plugin
from rapport.plugins.insights.intent.reading import LABELS, Read

CONTEXT = Context(now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC), seed=1, parameters={"ridge": 1.0})


def labelled(rows: list[tuple[str, str]]) -> pa.Table:
    return pa.table({"text": pa.array([t for t, _ in rows], pa.string()), "label": [y for _, y in rows]})


NOTHING = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})


def said(*text: str | None, model: bytes | None = None, name: str = "intent") -> list[dict[str, Any]]:
    table = pa.table({"seq": range(len(text)), "text": pa.array(text, pa.string())})
    rows: list[dict[str, Any]] = plugin.score(
        model or plugin.fit(NOTHING, CONTEXT), table, CONTEXT
    ).to_pylist()
    return [row for row in rows if row["name"] == name]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Can anyone help me? I can't log in and it keeps giving me an error.", "help_request"),
        ("Ich brauche Hilfe, die App startet nicht mehr.", "help_request"),
        ("Terrible service, rude staff, still waiting for my refund.", "complaint"),
        ("Pessimo servizio, mai più. Sono molto deluso.", "complaint"),
        ("Muchas gracias, un trato excelente, lo recomiendo.", "praise"),
        ("Ik ben erg tevreden, hartelijk dank voor de snelle levering!", "praise"),
        ("À quelle heure ouvre le magasin ?", "question"),
        ("Onde posso comprar e quanto custa? Tenho interesse.", "purchase_intent"),
        ("Ich kündige und wechsle zur Konkurrenz. Nie wieder!", "churn_threat"),
        ("다시는 이용하지 않겠습니다. 탈퇴하겠습니다.", "churn_threat"),
        ("شكرا لكم خدمة ممتازة", "praise"),
        ("Gewinnspiel! Jetzt kostenlos anmelden und Gutschein sichern http://a.example", "spam"),
    ],
)
def test_it_hears_what_is_plainly_said(text: str, label: str) -> None:
    (row,) = said(text)
    assert row["label"] == label, row


def test_detail_holds_every_probability_and_the_phrases_that_decided() -> None:
    (row,) = said("Worst airline ever, and nobody answers.")
    detail = json.loads(row["detail"])
    assert set(detail["probabilities"]) == set(LABELS)
    assert sum(detail["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert detail["probabilities"]["complaint"] == row["probability"]
    assert "nobody answers" in detail["words"]
    assert len(detail["words"]) <= 3
    assert plugin.explain(row).startswith("The writer complains (")


@pytest.mark.parametrize("sign", ['"', "\\", "\x01"])
def test_what_decided_may_hold_any_sign(sign: str) -> None:
    (row,) = said(f"Worst {sign}service{sign} ever!")
    assert any("service" in phrase and sign in phrase for phrase in json.loads(row["detail"])["words"])


def test_no_problem_is_no_complaint_and_not_helpful_no_praise() -> None:
    fine, bad, good = said("It arrived without any problem.", "They were not helpful.", "They were helpful.")
    assert fine["label"] != "complaint"
    assert (
        json.loads(bad["detail"])["probabilities"]["praise"]
        < json.loads(good["detail"])["probabilities"]["praise"]
    )
    assert (
        json.loads(bad["detail"])["probabilities"]["complaint"]
        > json.loads(good["detail"])["probabilities"]["complaint"]
    )


@pytest.mark.parametrize("text", ["", " ", None, "...", "http://a.example", "@ana @bo", "42"])
def test_a_text_that_says_nothing_states_nothing_else(text: str | None) -> None:
    (row,) = said(text)
    assert row["label"] == "statement"
    assert row["probability"] > 0.8


def test_it_learns_the_words_of_the_firm() -> None:
    rows = [(f"the flurb {k} makes that sound", "complaint") for k in range(60)]
    rows += [(f"the wibble {k} makes that sound", "praise") for k in range(60)]
    before, after = said("flurb wibble")[0], plugin.fit(labelled(rows), CONTEXT)
    bad, good = said("the flurb makes that sound", "the wibble makes that sound", model=after)
    assert before["label"] == "statement"
    assert (bad["label"], good["label"]) == ("complaint", "praise")


def test_a_backtest_shows_before_and_after_and_each_label() -> None:
    rows = [(f"the flurb {k} makes that sound", "complaint") for k in range(60)]
    rows += [(f"the wibble {k} makes that sound", "praise") for k in range(60)]
    found = {m.name: m for m in plugin.backtest(labelled(rows), CONTEXT).metrics}
    shipped, adapted = found["macro-F1, as shipped"], found["macro-F1, adapted to these labels"]
    assert adapted.value > 0.95 > shipped.value
    assert adapted.low is not None
    assert adapted.baseline_value == pytest.approx(1 / 3, abs=1e-6)
    assert found["recall of complaint, as shipped"].value == 0
    assert "Most often mistaken for statement" in found["recall of complaint, as shipped"].meaning


def test_few_labels_are_judged_as_shipped_alone() -> None:
    found = plugin.backtest(
        labelled([("thank you so much", "praise"), ("where is it?", "question")]), CONTEXT
    )
    assert all("adapted" not in m.name for m in found.metrics)


def test_an_unknown_label_is_refused() -> None:
    with pytest.raises(Invalid, match="'angry' is no intent"):
        plugin.fit(labelled([("x", "angry")]), CONTEXT)


def test_what_was_learnt_of_other_labels_is_refused() -> None:
    with pytest.raises(Invalid):
        said("x", model=b"nonsense")


def test_batches_are_seamless() -> None:
    many = ["thank you so much" if k % 2 else "where is it?" for k in range(2_051)]
    rows = said(*many)
    assert [r["seq"] for r in rows] == list(range(len(many)))
    assert {r["label"] for r in rows[1::2]} == {"praise"}
    assert np.ptp([r["probability"] for r in rows[::2]]) == 0


@pytest.mark.parametrize(
    "text",
    [
        "Can you help me please? My order never came and I can't reach anybody.",
        "@otter how do I reset my password? It won't let me log in.",
        "Könnt ihr mir bitte helfen? Ich kann mich nicht anmelden.",
        "Bonjour, pouvez-vous m'aider svp ? Comment puis-je changer mon adresse ?",
        "¿Me pueden ayudar por favor? ¿Cómo puedo cambiar mi dirección?",
    ],
)
def test_who_plainly_asks_for_help_is_heard(text: str) -> None:
    (row,) = said(text, name="help_request")
    assert (row["label"], row["value"]) == ("yes", row["probability"])


@pytest.mark.parametrize(
    "text",
    [
        "Worst airline ever, never again. How do you sleep at night?",
        "Thanks, that fixed it!",
        "Done. It's an iPhone 7, version 8.4.18",
        "Big sale this weekend, check out our deals http://a.example #sale",
        "Ich hatte das auch, der Tausch der Batterie hat geholfen.",
        "",
    ],
)
def test_anger_thanks_and_answers_ask_for_nothing(text: str) -> None:
    (row,) = said(text, name="help_request")
    assert row["label"] == "no"


@pytest.mark.parametrize(
    "text",
    [
        "@otterhelp the app keeps crashing on my phone since the update",
        "@otterhelp I changed my password yesterday and now it says my account does not exist",
    ],
)
def test_a_problem_told_to_those_who_help_asks_without_a_question(text: str) -> None:
    (row,) = said(text, name="help_request")
    assert row["label"] == "yes"


def test_a_post_that_mentions_nobody_must_ask_more_plainly() -> None:
    asked = "How many km on the otter?"
    addressed, alone = said(f"@otter {asked}", asked, name="help_request")
    assert (addressed["label"], alone["label"]) == ("yes", "no")
    english = helping.weights("english")
    assert english.threshold <= alone["value"] < english.threshold_to_nobody


@pytest.mark.parametrize(
    ("text", "is_english"),
    [
        ("@otter my order has not arrived and nobody answers", True),
        ("@otter meine Bestellung ist nicht gekommen und niemand antwortet", False),
        ("@otter ma commande n'est pas arrivée et personne ne répond", False),
        ("@otter HELP", False),  # no little word tells
        ("", False),
    ],
)
def test_words_are_weighed_in_what_is_known_to_be_english_alone(text: str, is_english: bool) -> None:
    texts = pa.array([text])
    cut = hashing.words_of(texts)
    assert helping.in_english(cut).tolist() == [is_english]
    features = Read.of(cut).features
    by_marks = helping.weights().logits(helping.marks(texts, features))
    chance = helping.asked(texts, cut, features).chance
    assert (chance[0] == pytest.approx(1 / (1 + np.exp(-by_marks[0])), abs=1e-4)) is not is_english


def test_what_words_add_is_what_the_linear_model_says() -> None:
    texts = pa.array(["@otter where is my order?", "", "the app keeps crashing " * 300])
    found = hashing.of_texts(texts)
    assert helping.said_in(found) == pytest.approx(helping.words().logits(found)[:, 0], abs=1e-4)
    assert np.abs(helping.said_in(found)[[0, 2]]).min() > 0.01


def test_labels_of_asking_for_help_teach_intent_nothing() -> None:
    taught = labelled([("thank you", "yes"), ("where is it?", "no")])
    assert plugin.fit(taught, CONTEXT) == plugin.fit(NOTHING, CONTEXT)
