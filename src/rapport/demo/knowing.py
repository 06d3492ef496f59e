"""What the invented shop knows: entries for the problems of its market, a few facts, and one notice."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

from rapport.demo.world import LANGUAGES, world
from rapport.kit import clock
from rapport.knowledge import selectors, services

BY = "demo"
REVIEW_DAYS = 180
SEEN_HOURS = {True: 3, False: 20}  # since a price was seen: ours, somebody else's
SLOT = "vehicle"
ASKED = {
    "en": "Which car is it? Make, model and year, please.",
    "de": "Um welches Auto geht es? Marke, Modell und Baujahr bitte.",
    "fr": "De quelle voiture s'agit-il ? Marque, modèle et année, s'il vous plaît.",
    "es": "¿De qué coche se trata? Marca, modelo y año, por favor.",
    "ko": "어떤 차인가요? 제조사, 모델, 연식을 알려 주세요.",
}


def publish() -> int:
    """Write down what the shop knows; safe to repeat. Gives how many entries there are."""
    known = tomllib.loads(Path(__file__).with_name("knowledge.toml").read_text(encoding="utf-8"))
    now = clock.now()
    cars = world().cars
    spellings = {name: [cars.short[k], cars.short_ko[k]] for k, name in enumerate(cars.names)}
    services.write_slot(SLOT, questions=ASKED, spellings=spellings)
    for given in known["entry"]:
        services.write_entry(given["key"], _entry(given, now), by=BY)
    for given in known["fact"]:
        stated = now.date() - dt.timedelta(days=given["days_ago"])
        services.write_fact(
            given["key"],
            services.FactWritten(
                given["statement"], given["source_name"], stated, given["about"], given["aspect"],
                source_url=given["source_url"], owner=BY,
            ),
            by=BY,
        )  # fmt: skip
    told = known["notice"]
    if not any(notice.slug == told["slug"] for notice in selectors.notices()):
        services.write_notice(
            told["slug"],
            services.NoticeWritten(
                told["titles"], told["texts"], told["owner"], words=told["words"], countries=told["countries"],
                until=now + dt.timedelta(days=told["until_days"]),
            ),
            by=BY,
        )  # fmt: skip
        services.publish_notice(told["slug"], by=BY)
    services.learn_if_due()
    return len(known["entry"])


def _entry(given: dict[str, Any], now: dt.datetime) -> services.Written:
    wordings = [("en", text) for text in given["wordings"]]
    wordings += [(code, text) for code in LANGUAGES for text in given.get(f"wordings_{code}", ())]
    options = [
        services.OptionWritten(
            product, place, f"https://{place.lower()}.example", is_ours, minor, "EUR",
            now - dt.timedelta(hours=SEEN_HOURS[is_ours]),
        )
        for product, place, is_ours, minor in given.get("options", ())
    ]  # fmt: skip
    return services.Written(
        title=given["title"],
        solutions={code: given[code] for code in LANGUAGES if code in given},
        wordings=wordings,
        options=options,
        needs=given.get("needs", ()),
        url=given.get("url", ""),
        owner=BY,
        review_by=now.date() + dt.timedelta(days=REVIEW_DAYS),
        state="published",
        source="demo",
    )
