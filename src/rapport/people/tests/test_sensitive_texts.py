"""What speaks of politics, belief, health or orientation is known as such, in every language; what only sounds so is not."""

from __future__ import annotations

import pyarrow as pa
import pytest

from rapport.kit.errors import Denied
from rapport.people.rules import sensitive_texts

SPEAKS = [
    ("I voted for them and would again", "politics"),
    ("Beim Parteitag der CDU gab es Würstchen", "politics"),
    ("La política es un asco", "politics"),
    ("국회의원 선거 때문에 늦었대요", "politics"),
    ("Als Muslim achte ich auf halal", "belief"),
    ("our local church needs a new roof rack", "belief"),
    ("Vamos a la iglesia los domingos", "belief"),
    ("교회 주차장에서 갈았어요", "belief"),
    ("My wife is pregnant and needs the seat", "health"),
    ("Ich habe Brustkrebs und kann nicht schrauben", "health"),
    ("Je suis enceinte de six mois", "health"),
    ("Tengo diabetes desde niño", "health"),
    ("Mia moglie è in gravidanza", "health"),
    ("Estou grávida e cansada", "health"),
    ("임신 중이라 못 갔어요", "health"),
    ("I'm gay and your advert made me smile", "orientation"),
    ("Ich bin lesbisch, und?", "orientation"),
    ("Die Gewerkschaft streikt wieder", "union"),
    ("He went to prison for it", "conviction"),
    ("My gambling got worse", "proxy"),
]
SOUNDS_SO = [
    "Der Kreuzschlüssel fehlt im Paket",
    "I'm sick of waiting, sick and tired of it",
    "Das ist eine Kinderkrankheit dieser Batterie",
    "Votre politique de retour est claire",
    "La política de devoluciones es buena",
    "Elle est partie sans payer",
    "L'enceinte Bluetooth marche bien",
    "battery health is at 80 %",
    "Geliefert nach Kirchrode und Saint-Orvain",
    "전조등 불교환 했어요",
    "게이지가 안 맞아요",
    "Prière de répondre vite",
    "¡Qué embarazoso!",
    "race bike, union joint, electric car",
    "Party next week, need it by Friday",
    "Die Verkehrsbehinderung hat alles verzögert",
    "Kabinenfilter Anti-Allergen",
]


@pytest.mark.parametrize(("text", "category"), SPEAKS)
def test_what_speaks_of_a_category(text: str, category: str) -> None:
    assert sensitive_texts.category_of(text) == category


@pytest.mark.parametrize("text", SOUNDS_SO)
def test_what_only_sounds_so(text: str) -> None:
    assert sensitive_texts.category_of(text) == ""


def test_a_column_is_judged_as_its_texts_are() -> None:
    texts = [text for text, _ in SPEAKS] + SOUNDS_SO
    found = sensitive_texts.are_sensitive(pa.chunked_array([texts[:9], [None, *texts[9:]]]))
    assert found.to_pylist() == [bool(sensitive_texts.category_of(t)) for t in texts[:9]] + [False] + [
        bool(sensitive_texts.category_of(t)) for t in texts[9:]
    ]


def test_a_name_is_judged_by_both_lists() -> None:
    assert sensitive_texts.category_of_name("party_affiliation") == "politics"
    assert sensitive_texts.category_of_name("Rollstuhl-Zubehör") == "health"
    assert sensitive_texts.category_of_name("winter_tyres") == ""


def test_what_staff_write_is_refused_with_the_reason() -> None:
    with pytest.raises(Denied, match="health, article 9") as refused:
        sensitive_texts.refuse("Is our customer pregnant?")
    assert "survey" in refused.value.hint
    sensitive_texts.refuse("Delivers in two days")


def test_every_language_of_the_list_has_words_for_every_category() -> None:
    for name, words in sensitive_texts._words().items():
        if isinstance(words, dict):
            assert set(words) == set(sensitive_texts.LANGUAGES), name
