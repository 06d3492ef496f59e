"""From the log to what shows something of somebody, as relations of one engine: in sets, never person by person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.aio import rules
from rapport.consent import selectors as consent
from rapport.events import lake
from rapport.insights.rules import OWN_WORDS
from rapport.kit import query
from rapport.people.rules import sensitive, sensitive_texts
from rapport.people.selectors import wholesale
from rapport.staff import selectors as staff

PACKAGE = "rapport.aio"
LOOKS_BACK_DAYS = 730
HALF_LIFE_TEXTS_DAYS = 365.0
HALF_LIFE_ACTS_DAYS = 180.0
PROBABILITY_MIN = 0.6  # of the reading of a text; a less sure one shows nothing
SURELY = 0.95  # how far a phrase of the firm's own list is believed
OTHER_MIND = 0.5  # variance of what is read of one aspect in a text that on the whole says something else
MOOD_MIN = 0.7  # probability from which on a text as a whole is surely of a mind
AGAINST = 0.5  # a sentiment this far on the other side makes a phrase doubtful
NAMING_SHARE_MIN = 0.05  # of public posts that name the firm; below it, people call it something else
LEGAL_FORMS = (
    "gmbh", "ag", "ltd", "limited", "inc", "llc", "plc", "sa", "sl", "sarl", "sas", "srl", "spa", "bv", "kg", "co",
)  # fmt: skip
WITHIN_S = 600  # after a search; what was looked at then is what it was for
WORD_PEOPLE_MIN = 5
WORD_PURITY = 0.7  # of those who turned to a topic after a word, so many turned to the same one
WORD_LED_MIN = 0.2  # of all who searched a word, so many turned to its topic
SECTION_PEOPLE_MIN = 10
SECTION_SHARE_MAX = 0.3  # of readers; what everybody reads tells nobody apart
SECTIONS_MAX = 20
TEXTS_AT_ONCE = 100_000
INTEREST_TRAITS = ("interest", "interests", "hobby", "hobbies", "topics", "likes")

# Pages that everybody needs and nobody is interested in, by the part of the path they are known by.
PLAIN_PAGES = (
    "home", "index", "cart", "basket", "bag", "checkout", "account", "my_account", "orders", "order", "login", "log_in",
    "logout", "register", "signup", "sign_up", "signin", "sign_in", "search", "help", "faq", "contact", "contact_us",
    "about", "about_us", "imprint", "impressum", "privacy", "datenschutz", "terms", "agb", "legal", "cookies", "delivery",
    "shipping", "returns", "payment", "wishlist", "profile", "settings", "password", "unsubscribe", "en", "de", "fr",
    "es", "it", "pt", "ko", "product", "products", "category", "categories", "shop", "store", "p", "c", "guide", "api",
    "static", "assets", "images", "warenkorb", "kasse", "konto", "panier", "compte", "carrito", "cuenta",
    "index_html", "index_php", "favicon_ico", "robots_txt", "thanks", "thank_you", "error", "s", "my", "u", "m",
)  # fmt: skip

MENTION = (
    "seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, place VARCHAR, kind VARCHAR, about VARCHAR,"
    " how VARCHAR, stance DOUBLE, doubt DOUBLE, quote VARCHAR"
)
ACT = (
    "seq BIGINT, subject BIGINT, person BIGINT, topic VARCHAR, title VARCHAR, how VARCHAR, ts TIMESTAMPTZ,"
    " place VARCHAR, quote VARCHAR"
)


@dataclass(frozen=True, slots=True)
class Named:
    """An aspect by the words that name it, where no model has read the texts for aspects."""

    key: str
    phrases: tuple[str, ...]


class Making:
    """One engine with the relations `mention` (what was said or answered) and `act` (what was turned to)."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, now: dt.datetime, identity: pa.Table, readable: pa.Table
    ):
        self.con = con
        self.asked: dict[str, Any] = {
            "now": now,
            "since": now - dt.timedelta(days=LOOKS_BACK_DAYS),
            "own_words": list(OWN_WORDS),
            "languages": list(rules.LANGUAGES),
            "probability": PROBABILITY_MIN,
            "recent_days": rules.RECENT_DAYS,
            "ours": rules.pattern([rules.spoken(name)]) if (name := firm_name()) else " ",
            "naming_share_min": NAMING_SHARE_MIN,
        }
        lake.give(con, "identity", identity)
        con.execute(f"CREATE OR REPLACE TEMP TABLE mention ({MENTION})")
        con.execute(f"CREATE OR REPLACE TEMP TABLE act ({ACT})")
        everybody = identity.column("subject")
        texts_of = identity.filter(pc.is_in(everybody, value_set=readable.column("subject").combine_chunks()))
        lake.give(con, "identity", texts_of)
        self.make("said", "said")
        lake.give(con, "identity", identity)

    def make(self, name: str, query_name: str, **beside: Any) -> None:
        """A relation from a named query."""
        self._run(f"CREATE OR REPLACE TEMP TABLE {name} AS ", query_name, beside)

    def add(self, name: str, query_name: str, **beside: Any) -> None:
        """More rows of a relation, columns by name."""
        self._run(f"INSERT INTO {name} BY NAME ", query_name, beside)

    def _run(self, begins: str, query_name: str, beside: dict[str, Any]) -> None:
        found = query.load(PACKAGE, query_name)
        query.run(self.con, query.Query(found.name, found.header, begins + found.text), self.asked | beside)

    def attitudes(self, named: Sequence[Named]) -> None:
        """What models of aspects read; where they never ran, what texts say that name one aspect alone."""
        self.add("mention", "attitudes_annotated", other_mind=OTHER_MIND, mood_min=MOOD_MIN)
        if self.n("mention") or not named:
            return
        self.con.execute("CREATE OR REPLACE TEMP TABLE named (seq BIGINT, about VARCHAR)")
        for aspect in named:
            if aspect.phrases:
                pattern = rules.pattern(aspect.phrases)
                self.add("named", "named", about=aspect.key, pattern=pattern)
        self.add("mention", "attitudes_named")

    def opinions(self, questions: Sequence[rules.Asked]) -> None:
        """What texts say to the firm's questions unasked, and what was answered in surveys."""
        for asked in questions:
            by_part = {part: asked.phrases(part) for part in rules.PARTS}
            every = [phrase for phrases in by_part.values() for phrase in phrases]
            if every:
                self.add(
                    "mention",
                    "opinions_said",
                    key=asked.key,
                    any=rules.pattern(every),
                    about_it=rules.pattern(by_part["about"]),
                    yes=rules.pattern(by_part["yes"]),
                    no=rules.pattern(by_part["no"]),
                    yes_turned=rules.pattern(by_part["yes"], negated=True),
                    no_turned=rules.pattern(by_part["no"], negated=True),
                    surely=SURELY,
                    against=AGAINST,
                )
        asks = [(q.key, a.question, a.low, a.high) for q in questions for a in q.answers]
        if asks:
            columns = list(zip(*asks, strict=True))
            lake.give(
                self.con,
                "asks",
                pa.table(
                    {
                        "about": pa.array(columns[0]),
                        "question": pa.array(columns[1]),
                        "low": pa.array(columns[2], pa.float64()),
                        "high": pa.array(columns[3], pa.float64()),
                    }
                ),
            )
            self.add("mention", "opinions_answered")

    def interests(self) -> None:
        """What people bought, read, searched, joined and named; topics are the catalogue's and the site's."""
        self.make("product", "product")
        self.add("act", "bought")
        self._leave_out_nameless("act", "topic")
        self._leave_out_nameless("product", "topic")
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE category AS SELECT DISTINCT topic FROM act"
            " UNION SELECT DISTINCT topic FROM product"
        )
        self.make("part", "parts")
        self._leave_out_nameless("part", "part")
        self.make(
            "section",
            "sections",
            plain_pages=list(PLAIN_PAGES),
            people_min=SECTION_PEOPLE_MIN,
            share_max=SECTION_SHARE_MAX,
            most=SECTIONS_MAX,
        )
        self.add("act", "read")
        self.make("search", "searched")
        self.make("led", "led_to", within_s=WITHIN_S)
        self.make(
            "topic_word",
            "learned_words",
            people_min=WORD_PEOPLE_MIN,
            purity=WORD_PURITY,
            led_min=WORD_LED_MIN,
        )
        self.add("act", "topics_searched")
        self.add("act", "topics_said")
        self.add("act", "joined")
        self._declared()

    def _declared(self) -> None:
        wishes = consent.topics(active_only=False)
        lake.give(
            self.con,
            "wish",
            pa.table(
                {
                    "key": pa.array([w.key for w in wishes], pa.string()),
                    "title": pa.array([w.name for w in wishes], pa.string()),
                }
            ),
        )
        self.make("wished", "wished")
        told = [
            piece.filter(
                pc.and_(
                    pc.is_in(piece["name"], value_set=pa.array(INTEREST_TRAITS)),
                    pc.equal(piece["origin"], "declared"),
                )
            )
            for piece in wholesale.all_told()
        ]
        every = pa.concat_tables(told) if told else wholesale.TOLD.empty_table()
        lake.give(
            self.con,
            "told",
            pa.table(
                {
                    "subject": every["subject"],
                    "value": every["value"],
                    "at_": every["at"],
                    "seq": every["seq"],
                    "source": pa.nulls(every.num_rows, pa.string()),
                }
            ),
        )
        self.make("declares", "declared")
        for name in ("wished", "declares"):
            self.con.execute(
                "INSERT INTO mention BY NAME SELECT seq, subject, person, ts, place, 'interest' AS kind,"
                f" about, 'declared' AS how, 1::DOUBLE AS stance, 0::DOUBLE AS doubt, quote FROM {name} WHERE about <> ''"
            )

    def _leave_out_nameless(self, relation: str, column: str) -> None:
        """Drop what has no name, as a category of signs alone, and what has one too long to be kept."""
        self.con.execute(
            f"DELETE FROM {relation} WHERE {column} = '' OR length({column}) > {rules.ABOUT_CHARS_MAX}"
        )

    def leave_out_nameless(self) -> None:
        """Drop statements about what cannot be named."""
        self._leave_out_nameless("mention", "about")
        self._leave_out_nameless("act", "topic")

    def leave_out_sensitive(self) -> int:
        """Drop topics and texts that speak of what is never reasoned from; gives how many rows went."""
        gone = 0
        for relation, column in (("mention", "about"), ("act", "topic")):
            found = self.con.execute(f"SELECT DISTINCT {column} FROM {relation}").fetchall()
            # A question of the firm was looked at when it was written; an aspect or a topic was not.
            blocked = [
                key for (key,) in found if key and sensitive_texts.category_of_name(key.replace("_", " "))
            ]
            blocked += [key for (key,) in found if key and sensitive.category_of(key)]
            gone += self._drop(relation, column, pa.array(sorted(set(blocked)), pa.string()))
        for relation in ("mention", "act"):
            spoken = set()
            reader = self.con.execute(
                f"SELECT DISTINCT t.seq, coalesce(s.words, t.quote) AS words FROM {relation} AS t"
                " LEFT JOIN said AS s ON s.seq = t.seq"
            ).to_arrow_reader(TEXTS_AT_ONCE)
            for batch in reader:
                mask = sensitive_texts.are_sensitive(batch.column("words"))
                spoken |= set(batch.column("seq").filter(mask).to_pylist())
            gone += self._drop(relation, "seq", pa.array(sorted(spoken), pa.int64()))
        return gone

    def _drop(self, relation: str, column: str, values: pa.Array) -> int:
        if len(values) == 0:
            return 0
        lake.give(self.con, "dropping", pa.table({"value": values}))
        row = self.con.execute(
            f"DELETE FROM {relation} WHERE {column} IN (SELECT value FROM dropping)"
        ).fetchone()
        return int(row[0]) if row else 0

    def pooled(self) -> pa.Table:
        """The sums of each person, of everything that was shown."""
        self.make("part_of", "stances", half_life_days=HALF_LIFE_TEXTS_DAYS)
        self.add("part_of", "attention", half_life_days=HALF_LIFE_ACTS_DAYS)
        return self._table("pooled")

    def kept(self, chosen: pa.Table) -> pa.Table:
        """The rows of models.Statement of what is stated."""
        lake.give(self.con, "chosen", chosen)
        return self._table("kept", most=rules.EVIDENCE_MAX, chars=rules.QUOTE_CHARS_MAX)

    def topics(self) -> list[tuple[str, str, str, int, list[str]]]:
        """key, title, source, people and words of each topic that anybody turned to."""
        return self._rows("topics")

    def _rows(self, name: str) -> list[Any]:
        return query.run(self.con, query.load(PACKAGE, name), self.asked).fetchall()

    def _table(self, name: str, **beside: Any) -> pa.Table:
        return query.run(self.con, query.load(PACKAGE, name), self.asked | beside).to_arrow_table()

    def n(self, relation: str) -> int:
        row = self.con.execute(f"SELECT count(*) FROM {relation}").fetchone()
        return int(row[0]) if row else 0


def firm_name() -> str:
    """What people call the firm: its name without the legal form; empty where it is not known."""
    firm = staff.organisation()
    words = sensitive_texts.plainly(firm.name).split() if firm else []
    return " ".join(word for word in words if word not in LEGAL_FORMS)


def sums(pooled: pa.Table) -> rules.Sums:
    """The columns of pooled rows as the rules want them."""
    return rules.Sums(
        *(
            np.asarray(pooled.column(name).to_numpy(zero_copy_only=False), np.float64)
            for name in rules.Sums.__dataclass_fields__
        )
    )
