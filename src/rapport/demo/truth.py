"""The truth as files, apart from the product: Parquet and a README.json that names every column."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from rapport.demo import tell
from rapport.demo.block import Block
from rapport.demo.span import Span
from rapport.demo.tell import Tally
from rapport.demo.world import RESPONSES, World

STREAMED = ("person", "participation", "account", "text", "complaint", "future")
TOTALS = ("campaign", "promise")
FILES = (*STREAMED, *TOTALS)
GRAIN = {
    "person": "one row per true person",
    "participation": "one row per person and network on which the person has a name",
    "account": "one row per account that somebody runs beside their own, to praise or to blame in concert",
    "text": "one row per text in the log",
    "complaint": "one row per complaint in the log",
    "future": "one row per customer, dead or alive",
    "campaign": "one row per mailing",
    "promise": "one row per promise and country",
}
_HORIZONS = {
    f"expected_{what}": meaning
    for d in (30, 90, 180)
    for what, meaning in (
        (
            f"orders_{d}d",
            f"expected orders in the {d} days after the end, if no message is sent; 0 for the dead",
        ),
        (f"spend_{d}d_minor", f"expected gross spend in those {d} days, in minor units, before refunds"),
    )
}
_COURSE = {
    what: meaning
    for d in (30, 90, 180)
    for what, meaning in (
        (f"orders_{d}d", f"orders in the {d} days after the end, in one course of events without messages"),
        (f"spend_{d}d_minor", f"gross spend in those {d} days, in minor units"),
    )
}
MEANING: dict[str, dict[str, str]] = {
    "person": {
        "person": "number of the true person",
        "kind": "person (customer), visitor (only devices), author (only public handles)",
        "persona": "type of person",
        "identifiers": "everything that truly points at this person; a shared device stands with both",
        "name": "true name",
        "country": "ISO 3166 country",
        "language": "mother tongue",
        "car": "the car owned",
        "fuel": "petrol, diesel, hybrid, electric",
        "birth_year": "year of birth",
        "household": "lowest person number of the household; null for those who live with no other customer",
        "shares_device": "uses a browser together with the other one of the household",
        "account": "account (customer id and e-mail), guest (e-mail alone), card (loyalty card alone)",
        "is_double": "has two customer ids, the second one registered carelessly",
        "entered_at": "first moment as a customer within the span",
        "is_alive": "still a customer at the end",
        "died_at": "moment the relation ended; nothing is bought after it",
        "churn": "alive, own_reasons, bad_experience (late, wrong or broken goods), too_many_messages",
        "orders_per_day": "expected orders per day over an average year while alive",
        "hazard_per_day": "hazard of leaving for own reasons, per day",
        "order_minor": "expected gross value of an order, in minor units",
        "response": "persuadable, sure_thing, lost_cause, sleeping_dog",
        "message_effect_14d": "change of the probability of an order within 14 days by one welcome message, while alive",
        "is_held_out": "never sent any mailing",
        "agrees_to_mail": "may be sent mailings, until unsubscribing",
        "fatigue_threshold_30d": "messages in 30 days beyond which each loses 70 % of its effect and may drive away",
        "advocacy": "standing toward the shop, in [-1, 1]",
        "participation": "highest level on any network: lurker, contributor, leader; null where there is no handle",
        **_HORIZONS,
        "next_category": "most probable category of the next order within 180 days; null where none can come",
        "next_category_probability": "probability of an order of that category being the next one, within 180 days",
    },
    "participation": {
        "person": "number of the true person",
        "network": "bluesky, mastodon, reddit, youtube or community",
        "identifier": "the name there",
        "level": "lurker, contributor, leader",
        "posts_per_week": "true rate of posts, apart from those about a bad experience",
        "advocacy": "standing toward the shop, in [-1, 1]",
    },
    "account": {
        "identifier": "the name on the network; it is among the identifiers of the person who runs it",
        "person": "number of the true person who runs it, a public author",
        "network": "bluesky, mastodon, reddit or youtube",
        "ring": "the accounts of one runner, which say much the same at much the same time",
        "aim": "blame or praise",
        "first_at": "moment when the ring first spoke up",
    },
    "text": {
        "message_id": "message_id of the touchpoint",
        "person": "number of the true person",
        "at": "moment, to the second",
        "language": "language it is written in",
        "register": "public, community, letter, survey",
        "sentiment": "negative, neutral, positive: meant, not said; of a mixed text the first clause",
        "is_mixed": "praises one aspect and blames another",
        "is_ironic": "says the opposite of what is meant",
        "intent": "praise, complaint, question, help_request, purchase_intent, churn_threat, answer, statement",
        "aspect": "delivery, price, quality, service, fit, website, returns, availability; null where none is judged",
        "aspect_polarity": "negative or positive",
        "aspect_2": "a second aspect, or null",
        "aspect_2_polarity": "negative or positive",
        "category": "category of product in question",
        "is_reply": "answers another post",
        "is_pushed": "said by an account of a ring; the person is the one who runs it",
    },
    "complaint": {
        "message_id": "message_id of the touchpoint",
        "person": "number of the true person",
        "at": "moment of the complaint, to the second",
        "aspect": "what went wrong: delivery, fit, quality, returns",
        "answered_at": "moment of our answer, or null; one that lies after the end is not in the log",
        "would_leave": "would leave for good, if nobody answered",
        "is_kept": "would leave, and stays because of the answer",
        "leave_probability": "that what went wrong drives somebody away whom nobody answers",
        "keep_probability": "that this answer, when it came, keeps somebody who would leave; 0 without one",
    },
    "future": {
        "person": "number of the true person",
        **_COURSE,
        "next_at": "moment of the next order within 180 days, or null",
        "next_category": "its category",
        "died_at": "moment the relation ended within those 180 days, or null",
    },
    "campaign": {
        "campaign": "value of the property `campaign`",
        "sent_at": "when it went out, to the hour",
        "n_eligible": "people who had agreed to mail and were customers, the held-out ones included",
        "n_sent": "messages",
        "n_tired": "of these beyond the fatigue threshold",
        "n_unsubscribed": "people who asked for no more",
        "n_orders_caused": "orders that would not have been placed",
        "n_orders_prevented": "orders that would have been placed",
        **{f"n_{r}": f"of the messages, to living people of the class {r}" for r in RESPONSES},
        "effect_14d": "mean change of the probability of an order within 14 days, over all messages",
    },
    "promise": {
        "promise": "aspect and country",
        "aspect": "what it is about",
        "claim": "what the shop says, everywhere the same",
        "country": "where",
        "target_share": "share of orders for which the claim is meant to hold",
        "n_orders": "orders it applies to",
        "kept_share": "share of them for which it held",
        "mean_days": "mean days to delivery, for that promise alone",
        "gap": "target minus kept",
    },
}


def totals(world: World, when: Span, tally: Tally) -> dict[str, pa.Table]:
    """The tables that need the sums over all blocks."""
    return {"campaign": tell.campaign(when, tally), "promise": tell.promise(world, tally)}


class TruthFiles:
    """Writes the truth block by block, so that its size in memory does not grow with the number of people."""

    def __init__(self, folder: Path, world: World, when: Span, market: dict[str, Any]) -> None:
        self.folder = folder
        self.world = world
        self.when = when
        self.market = market
        self.writers: dict[str, pq.ParquetWriter] = {}
        self.tally: Tally | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def add(self, block: Block) -> None:
        for name in STREAMED:
            table = block.truth[name]
            if name not in self.writers:
                self.writers[name] = pq.ParquetWriter(self.folder / f"{name}.parquet", table.schema)
            self.writers[name].write_table(table)
        self.tally = block.tally if self.tally is None else self.tally.plus(block.tally)

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        for writer in self.writers.values():
            writer.close()
        if kind is not None or self.tally is None:
            return
        for name, table in totals(self.world, self.when, self.tally).items():
            pq.write_table(table, self.folder / f"{name}.parquet")
        files = {f"{name}.parquet": {"grain": GRAIN[name], "columns": MEANING[name]} for name in FILES}
        text = json.dumps({"market": self.market, "files": files}, indent=2, ensure_ascii=False)
        (self.folder / "README.json").write_text(text + "\n", encoding="utf-8")
