"""What people say: opinions that follow from what happened to them, put into words by the grammar."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.demo import grammar
from rapport.demo.draw import (
    Columns,
    Flags,
    Floats,
    Ints,
    choice_by_row,
    join,
    join_present,
    joined_groups,
    mistyped,
    where,
)
from rapport.demo.persons import People
from rapport.demo.world import ASPECTS, LANGUAGES, World

COLON_LOWER = (LANGUAGES.index("fr"), LANGUAGES.index("es"))
INTENTS = (
    "praise", "complaint", "question", "help_request", "purchase_intent", "churn_threat", "answer", "statement",
)  # fmt: skip
PRAISE, COMPLAINT, QUESTION, HELP, PURCHASE, CHURN, ANSWER, STATEMENT = range(8)
PUBLIC, COMMUNITY, LETTER, SURVEY = range(4)
POLARITY = ("negative", "neutral", "positive")
MENTIONS = ("quality", "fit", "service")  # aspects before which one says what was bought
IRONIC = ("delivery", "service", "quality", "price", "website")
REPLIES = ("", "reply_help", "reply_agree_negative", "reply_agree_positive", "reply_defend", "reply_chat")


@dataclass(frozen=True, slots=True)
class Opinion(Columns):
    """What somebody means, apart from the words."""

    intent: Ints
    sentiment: Ints  # -1, 0, 1
    aspect: Ints  # position in ASPECTS, or -1
    polarity: Ints  # of the aspect
    aspect_2: Ints
    polarity_2: Ints
    ironic: Flags


@dataclass(frozen=True, slots=True)
class Talk(Columns):
    """One row per text."""

    person: Ints
    language: Ints
    register: Ints
    category: Ints
    car: Ints
    late_days: Ints
    reply: Ints  # position in REPLIES
    tags: Flags  # the place is one where people use hashtags
    opinion: Opinion

    def __len__(self) -> int:
        return len(self.person)

    def take(self, rows: Ints | Flags) -> Talk:
        return Talk(
            self.person[rows], self.language[rows], self.register[rows], self.category[rows], self.car[rows],
            self.late_days[rows], self.reply[rows], self.tags[rows], self.opinion.take(rows),
        )  # fmt: skip


def opinion(
    rng: np.random.Generator,
    place: World,
    p: People,
    person: Ints,
    category: Ints,
    trouble: Ints,
    leaves: Flags,
    good: Flags | None = None,
    about: Ints | None = None,
) -> Opinion:
    """What people think of us: of what went wrong where something did, else as they stand toward us.

    `trouble` is the aspect that went wrong or -1; `good` and `about` settle tone and aspect of the others.
    """
    n = len(person)
    bad = trouble >= 0
    chance = 1 / (1 + np.exp(-(0.2 + 2.4 * p.advocacy[person])))
    positive = ~bad & ((rng.random(n) < chance) if good is None else good)
    cares = choice_by_row(rng, place.personas.cares[p.persona[person]])
    aspect = np.where(bad, trouble, cares if about is None else about)
    aspect = _sensible(place, category, aspect)
    polarity = np.where(positive, 1, -1)
    other = _sensible(place, category, choice_by_row(rng, place.personas.cares[p.persona[person]]))
    second = rng.random(n)
    has_other = (other != aspect) & (second < 0.38)
    mixed = has_other & (second < 0.15)
    may_be_ironic = np.array([name in IRONIC for name in ASPECTS])[aspect]
    ironic = (polarity < 0) & may_be_ironic & ~has_other & (rng.random(n) < 0.13)
    quits = (polarity < 0) & (
        rng.random(n) < np.where(leaves, 0.6, np.where(p.advocacy[person] < -0.3, 0.12, 0.03))
    )
    return Opinion(
        intent=np.where(polarity > 0, PRAISE, np.where(quits, CHURN, COMPLAINT)),
        sentiment=polarity,
        aspect=aspect,
        polarity=polarity,
        aspect_2=np.where(has_other, other, -1),
        polarity_2=np.where(has_other, np.where(mixed, -polarity, polarity), 0),
        ironic=ironic,
    )


def _sensible(place: World, category: Ints, aspect: Ints) -> Ints:
    """Oil cannot fail to fit: there it is the quality that is meant."""
    fit, quality = ASPECTS.index("fit"), ASPECTS.index("quality")
    return np.where((aspect == fit) & ~place.categories.fits[category], quality, aspect)


def plain(intent: Ints) -> Opinion:
    """Something said without a judgement of us."""
    n = len(intent)
    none, zero = np.full(n, -1), np.zeros(n, dtype=np.int64)
    return Opinion(intent, zero, none, zero, none, zero, np.zeros(n, dtype=bool))


def chosen(flags: Flags, yes: Opinion, no: Opinion) -> Opinion:
    """Row by row, one opinion or the other."""
    names = [f.name for f in fields(Opinion)]
    return Opinion(*(np.where(flags, getattr(yes, k), getattr(no, k)) for k in names))


def words(rng: np.random.Generator, place: World, p: People, t: Talk, order_id: pa.Array) -> pa.StringArray:
    """The texts; `order_id` is named in letters where it is not null."""
    lexicon = grammar.lexicon()
    pieces = _pieces(rng, lexicon, t, pc.is_valid(order_id).to_numpy(zero_copy_only=False))
    row, piece = np.nonzero(pieces >= 0)
    fill = grammar.slots(rng, t.category, t.car, p.town[t.person], t.late_days)
    mounted = place.categories.mounted[t.category]
    said = grammar.render(lexicon, rng, pieces[row, piece], t.language[row], mounted[row], fill.take(row))
    named = join(said, " ", order_id.take(pa.array(row)), ".")
    said = where(piece == _ORDER, named, said)
    # After a colon French and Spanish go on in lower case.
    goes_on = (piece == _SECOND) & (pieces[row, _BUT] >= 0) & np.isin(t.language[row], COLON_LOWER)
    said = where(goes_on, _uncapitalised(said), said)
    spoken = piece < _EMOJI
    body = joined_groups(said.filter(pa.array(spoken)), np.bincount(row[spoken], minlength=len(t)), " ")
    body = pc.replace_substring(pc.replace_substring(body, "\n ", "\n"), " \n", "\n")
    body = _careless(rng, lexicon, t, body)
    emoji = _scattered(said, row, piece == _EMOJI, len(t))
    tag = _scattered(said, row, piece == _TAG, len(t))
    return join_present([body, emoji, tag], " ")


_OPENER, _MENTION, _MAIN, _BUT, _SECOND, _CLOSE, _ORDER, _GREETING, _EMOJI, _TAG = range(10)


def _pieces(rng: np.random.Generator, lexicon: grammar.Lexicon, t: Talk, has_order: Flags) -> Ints:
    """Row x piece: the pool each piece of a text is drawn from, -1 for none."""
    n, o, pool = len(t), t.opinion, lexicon.pool
    u = rng.random((n, 10))
    letter, public = t.register == LETTER, t.register == PUBLIC
    judges = np.isin(o.intent, (PRAISE, COMPLAINT, CHURN)) & (t.reply == 0)
    tone = o.sentiment + 1
    openers = np.array([pool(f"opener_{name}") for name in POLARITY])
    by_tone = np.array([0.35, 0.2, 0.3])[tone] * np.where(t.register == SURVEY, 0.5, 1.0) * ~o.ironic
    none = np.full(n, -1)
    asks = np.isin(o.intent, (QUESTION, HELP, PURCHASE))
    opener = np.where(u[:, 0] < by_tone, np.where(asks, pool("opener_question"), openers[tone]), none)
    opener = np.where(t.reply > 0, none, opener)
    opener = np.where(letter, np.where(u[:, 0] < 0.85, pool("letter_open"), none), opener)
    sides = np.array([[pool(f"{a}_{side}") for side in ("negative", "positive")] for a in ASPECTS])
    ironies = np.array([pool(f"irony_{a}") if a in IRONIC else -1 for a in ASPECTS])
    judged = np.where(o.ironic, ironies[o.aspect], sides[o.aspect, (o.polarity > 0).astype(np.int64)])
    helps = np.where(letter | (u[:, 2] < 0.72), lexicon.by_category("help")[t.category], pool("help_any"))
    questions = np.where(letter, pool("letter_question"), pool("question"))
    purchases = np.where(letter, pool("letter_purchase"), pool("purchase"))
    replies = np.array([-1] + [pool(name) for name in REPLIES[1:]])
    main = np.select(
        [t.reply > 0, judges, o.intent == QUESTION, o.intent == HELP, o.intent == PURCHASE],
        [replies[t.reply], judged, questions, helps, purchases],
        pool("statement"),
    )
    names_part = np.array([name in MENTIONS for name in ASPECTS])[o.aspect]
    has_other = judges & (o.aspect_2 >= 0)
    mixed = has_other & (o.polarity != o.polarity_2)
    second = np.where(has_other, sides[o.aspect_2, (o.polarity_2 > 0).astype(np.int64)], none)
    but = np.where(mixed, np.where(o.polarity_2 > 0, pool("but_positive"), pool("but_negative")), none)
    close = np.select(
        [
            o.intent == CHURN,
            letter & (o.intent == COMPLAINT) & (u[:, 5] < 0.7),
            (o.intent == HELP) & ~letter & (u[:, 5] < 0.5),
        ],
        [pool("churn"), pool("close_complaint"), pool("close_help")],
        -1,
    )
    social = public | (t.register == COMMUNITY)
    emojis = np.array([pool(f"emoji_{name}") for name in POLARITY])
    # Whoever is ironic smiles: the sign of the emoji says nothing there.
    emoji_tone = np.where(o.ironic & (u[:, 9] < 0.5), 2, np.where(mixed, 1, tone))
    return np.stack(
        [
            opener,
            np.where(
                judges & names_part & ~o.ironic & (u[:, 1] < np.where(letter, 0.6, 0.4)),
                pool("mention"),
                none,
            ),
            main,
            but,
            second,
            close,
            np.where(letter & has_order & (u[:, 6] < 0.8), pool("order_reference"), none),
            np.where(letter & (u[:, 7] < 0.6), pool("letter_close"), none),
            np.where(social & (u[:, 8] < np.where(public, 0.3, 0.2)), emojis[emoji_tone], none),
            np.where(t.tags & (t.reply == 0) & (u[:, 4] < 0.4), pool("tag"), none),
        ],
        axis=1,
    )


def _uncapitalised(texts: pa.StringArray) -> pa.StringArray:
    return join(pc.utf8_lower(pc.utf8_slice_codeunits(texts, 0, 1)), pc.utf8_slice_codeunits(texts, 1))


def _scattered(said: pa.StringArray, row: Ints, flags: Flags, n: int) -> pa.StringArray:
    """The pieces where the flag holds, each at its row; null elsewhere."""
    at = np.full(n, -1)
    at[row[flags]] = np.flatnonzero(flags)
    return said.take(pa.array(np.where(at < 0, 0, at), mask=at < 0))


def _careless(
    rng: np.random.Generator, lexicon: grammar.Lexicon, t: Talk, body: pa.StringArray
) -> pa.StringArray:
    """Slips of the hand and of spelling, more of them on the networks than in letters."""
    n = len(t)
    habit: Floats = np.array([1.0, 0.8, 0.2, 0.7])[t.register]
    parts, where_from = [], []
    for language in range(len(LANGUAGES)):
        rows = np.flatnonzero(t.language == language)
        texts = body.take(pa.array(rows))
        for slip in lexicon.slips[language]:
            slips = rng.random(len(rows)) < slip["share"] * habit[rows]
            texts = where(slips, pc.replace_substring(texts, slip["find"], slip["put"]), texts)
        parts.append(texts)
        where_from.append(rows)
    back = np.empty(n, dtype=np.int64)
    back[np.concatenate(where_from)] = np.arange(n)
    body = pa.concat_arrays(parts).take(pa.array(back))
    body = where(rng.random(n) < 0.10 * habit * (t.register != LETTER), pc.utf8_lower(body), body)
    body = where(rng.random(n) < 0.25 * habit, pc.utf8_rtrim(body, "."), body)
    return mistyped(body, rng.random(n) < 0.12 * habit, rng)
