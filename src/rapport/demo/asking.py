"""The shop's surveys: those that its customers have answered, and one that is open for whoever looks at the demo."""

from __future__ import annotations

import dataclasses

from rapport.demo.world import LANGUAGES
from rapport.surveys import services
from rapport.surveys.rules import Definition, starters

BY = "demo"
OPEN = "about-you"

# What the questionnaires of `demo.feedback` asked, beyond the one about recommending.
TITLES = {
    "csat_delivery": {
        "en": "How was the delivery?",
        "de": "Wie war die Lieferung?",
        "fr": "Comment s'est passée la livraison ?",
        "es": "¿Cómo fue la entrega?",
        "ko": "배송은 어떠셨습니까?",
    },
    "csat_fit": {
        "en": "Did the part fit?",
        "de": "Hat das Teil gepasst?",
        "fr": "La pièce convenait-elle ?",
        "es": "¿Encajó la pieza?",
        "ko": "부품이 잘 맞았습니까?",
    },
}


def publish() -> list[str]:
    """Make the surveys that the demo's answers belong to, and an open one; safe to repeat. Gives their addresses."""
    languages = list(LANGUAGES)
    made = [services.adopt("nps", by=BY, definition=_starter("nps"), is_open=True)]
    for slug, title in TITLES.items():
        csat = _starter("csat")
        asked = dataclasses.replace(csat.questions[0], text={code: title[code] for code in languages})
        questions = (asked, csat.questions[-1])
        definition = dataclasses.replace(csat, title=title, questions=questions)
        made.append(services.adopt(slug, by=BY, definition=definition))
    made.append(services.adopt(OPEN, by=BY, definition=_starter("registration"), is_open=True))
    return made


def _starter(name: str) -> Definition:
    return starters.starter(name, list(LANGUAGES)).definition
