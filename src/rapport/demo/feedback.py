"""What people tell us directly: complaints, letters, answers to our questionnaires."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.demo import answering, grammar, talking
from rapport.demo.buying import Trade
from rapport.demo.draw import Flags, Floats, Ints, choice, choice_by_row, stream, take, where
from rapport.demo.experience import PROMISED_DAYS
from rapport.demo.identifiers import Identifiers
from rapport.demo.persons import People
from rapport.demo.rows import Rows, json_object, number_member, text_member
from rapport.demo.selling import Sold
from rapport.demo.span import DAY_S, Span
from rapport.demo.talking import Opinion, Talk
from rapport.demo.world import ASPECTS, CHANNELS, World

REASONS = {"delivery": "late_delivery", "fit": "wrong_part", "quality": "defective", "returns": "slow_refund"}
LETTERS_PER_DAY = 0.16 / 365
NPS, CSAT_DELIVERY, CSAT_FIT = range(3)
SURVEYS = ("nps", "csat_delivery", "csat_fit")
QUESTIONS = ("recommend", "satisfied", "satisfied")  # of each survey, as `demo.asking` publishes it


@dataclass(frozen=True, slots=True)
class Feedback:
    """One row per text or score that reached us in private."""

    person: Ints
    at_s: Ints
    order: Ints  # or -1
    kind: Ints  # 0 complaint, 1 letter, 2 to 4 the surveys
    score: Ints
    spoken: Flags  # there are words to it
    answer_hours: Floats  # to our answer; infinite where there is none
    talk: Talk


def feedback(
    place: World, when: Span, p: People, lived: Trade, seeds: tuple[int, ...], scale: float
) -> Feedback:
    """Complaints, letters and answers of a block."""
    rng = stream("feedback", *seeds, int(p.number[0]))
    o = lived.orders
    n = len(o)
    complains = np.flatnonzero(o.complains & (rng.random(n) < scale))
    u = rng.random(n)
    mailable = (p.account[o.person] != 2) & (o.at_s + 12 * DAY_S < lived.end_s[o.person])
    sent = o.channel != CHANNELS.index("shop")
    asked = [
        np.flatnonzero(mailable & (u < 0.11 * scale)),
        np.flatnonzero(mailable & sent & (u > 0.5) & (u < 0.5 + 0.10 * scale)),
        np.flatnonzero(mailable & place.categories.fits[o.category] & (u > 0.8) & (u < 0.8 + 0.06 * scale)),
    ]
    writer, letter_at = _letters(rng, when, p, lived, scale)
    order = np.concatenate([complains, np.full(len(writer), -1), *asked])
    kind = np.repeat(np.arange(5), [len(complains), len(writer), *(len(a) for a in asked)])
    person = np.concatenate([o.person[complains], writer, *(o.person[a] for a in asked)])
    at_s = np.zeros(len(person), dtype=np.int64)
    has = order >= 0
    late = np.where(has, o.late_days[order], 0) if n else np.zeros(len(person), np.int64)
    wait = rng.uniform(2, 9, len(person))
    at_s[has] = o.at_s[order[has]] + ((PROMISED_DAYS + late + wait)[has] * DAY_S).astype(np.int64)
    at_s[kind == 0] = o.complained_s[complains]
    at_s[kind == 1] = letter_at
    answer_hours = np.full(len(person), np.inf)
    answer_hours[kind == 0] = o.answer_hours[complains]
    answer_hours[kind == 1] = answering.answer_hours(rng, place, p.country[writer])
    what = np.where(has, o.trouble[order], -1) if n else np.full(len(person), -1)
    category = choice_by_row(rng, p.taste[person])
    category = np.where(has, o.category[order], category) if n else category
    leaves = has & o.leaves[order] if n else np.zeros(len(person), dtype=bool)
    score = _scores(rng, p, person, kind, what)
    meant = _meant(rng, place, p, person, category, kind, what, leaves, score)
    spoken = (kind < 2) | (rng.random(len(person)) < np.array([1.0, 1.0, 0.45, 0.3, 0.25])[kind])
    talk = Talk(
        person=person,
        language=p.language[person],
        register=np.where(kind < 2, talking.LETTER, talking.SURVEY),
        category=category,
        car=p.car[person],
        late_days=late,
        reply=np.zeros(len(person), dtype=np.int64),
        tags=np.zeros(len(person), dtype=bool),
        opinion=meant,
    )
    return Feedback(person, at_s, order, kind, score, spoken, answer_hours, talk)


def _letters(
    rng: np.random.Generator, when: Span, p: People, lived: Trade, scale: float
) -> tuple[Ints, Ints]:
    stop = np.minimum(lived.end_s, when.end_s)
    days = np.where(p.is_customer, (stop - lived.entry_s) / DAY_S, 0).clip(0, None)
    person = np.repeat(np.arange(len(p)), rng.poisson(LETTERS_PER_DAY * days * scale))
    day = ((lived.entry_s[person] / DAY_S) + rng.random(len(person)) * days[person]).astype(np.int64)
    web = np.full(len(day), CHANNELS.index("web"))
    return person, when.utc_s(day, when.time_of_day_s(rng, web), p.country[person])


def _scores(rng: np.random.Generator, p: People, person: Ints, kind: Ints, what: Ints) -> Ints:
    """0 to 10 for recommending, 1 to 5 for the others."""
    fond = p.advocacy[person]
    bad = what >= 0
    nps = np.rint(7.9 + 2.6 * fond - 3.2 * bad + rng.normal(0, 1.3, len(person))).clip(0, 10)
    delivery = np.where(what == ASPECTS.index("delivery"), 1.8, 4.3)
    fit = np.where(what == ASPECTS.index("fit"), 1.6, 4.5)
    stars = np.where(kind == 2 + CSAT_DELIVERY, delivery, fit) + 0.4 * fond + rng.normal(0, 0.6, len(person))
    return np.where(kind == 2 + NPS, nps, np.rint(stars).clip(1, 5)).astype(np.int64)


def _meant(
    rng: np.random.Generator, place: World, p: People, person: Ints, category: Ints, kind: Ints, what: Ints,
    leaves: Flags, score: Ints,
) -> Opinion:  # fmt: skip
    n = len(person)
    about = choice_by_row(rng, place.personas.cares[p.persona[person]])
    about = np.where(kind == 2 + CSAT_DELIVERY, ASPECTS.index("delivery"), about)
    about = np.where(kind == 2 + CSAT_FIT, ASPECTS.index("fit"), about)
    good = np.where(kind == 2 + NPS, score >= 7, score >= 3)
    # A questionnaire about one thing is answered about that thing, whatever else went wrong.
    at_issue = np.where(kind >= 2 + CSAT_DELIVERY, np.where(good, -1, about), what)
    at_issue = np.where((kind == 2 + NPS) & good, -1, at_issue)
    of_us = talking.opinion(rng, place, p, person, category, at_issue, leaves, good, about)
    intents = np.array([talking.HELP, talking.QUESTION, talking.PURCHASE])[choice(rng, [0.6, 0.25, 0.15], n)]
    return talking.chosen(kind == 1, talking.plain(intents), of_us)


def record(
    rows: Rows, p: People, ids: Identifiers, f: Feedback, sold: Sold, texts: pa.StringArray,
    seeds: tuple[int, ...],
) -> pa.StringArray:  # fmt: skip
    """Touchpoints of feedback; gives their message ids."""
    rng = stream("letters", *seeds, int(p.number[0]))
    n = len(f.person)
    message_id = rows.ids("f", n)
    who = pa.array(f.person)
    known = pc.coalesce(ids.email.take(who), ids.customer.take(who), ids.loyalty.take(who))
    by_phone = p.has_phone[f.person] & (rng.random(n) < 0.2)
    identifier = where(by_phone & (f.kind < 2) & ~p.is_double[f.person], ids.phone.take(who), known)
    channel = where(by_phone, "phone", where(rng.random(n) < 0.6, "email", "web"))
    about = sold.order_id.take(pa.array(f.order.clip(0), mask=f.order < 0))
    lexicon = grammar.lexicon()
    fill = grammar.slots(rng, f.talk.category, f.talk.car, p.town[f.person], f.talk.late_days)
    pools = [
        lexicon.pool(name)
        for name in ("subject_complaint", "subject_question", *(f"asked_{s}" for s in SURVEYS))
    ]
    heading = grammar.render(lexicon, rng, np.array(pools)[f.kind], f.talk.language, np.ones(n, bool), fill)
    complaint = np.flatnonzero(f.kind == 0)
    at = pa.array(complaint)
    reasons = [REASONS.get(name, "other") for name in ASPECTS]
    rows.add(
        "f0", "complaint_raised", f.at_s[complaint], identifier.take(at), message_id=message_id.take(at),
        channel=channel.take(at), text=texts.take(at),
        properties=json_object(
            text_member("reason", take(reasons, f.talk.opinion.aspect[complaint])), text_member("order_id", about.take(at)),
            text_member("conversation", message_id.take(at)),
        ),
    )  # fmt: skip
    letter = np.flatnonzero(f.kind == 1)
    at = pa.array(letter)
    rows.add(
        "f1", "message_received", f.at_s[letter], identifier.take(at), message_id=message_id.take(at),
        channel=channel.take(at), text=texts.take(at),
        properties=json_object(text_member("subject", heading.take(at)), text_member("conversation", message_id.take(at))),
    )  # fmt: skip
    _answers(rows, f, identifier, message_id, channel)
    answer = np.flatnonzero(f.kind >= 2)
    at = pa.array(answer)
    rows.add(
        "f2", "survey_answered", f.at_s[answer], identifier.take(at), message_id=message_id.take(at),
        channel="email", text=where(f.spoken[answer], texts.take(at)),
        properties=json_object(
            text_member("survey", take(SURVEYS, f.kind[answer] - 2)),
            text_member("question", take(QUESTIONS, f.kind[answer] - 2)), text_member("asked", heading.take(at)),
            text_member("answer", f.score[answer]), number_member("score", f.score[answer]),
        ),
    )  # fmt: skip
    return message_id


def _answers(
    rows: Rows, f: Feedback, identifier: pa.Array, message_id: pa.StringArray, channel: pa.Array
) -> None:
    """What we wrote back, in the conversation that was opened."""
    answered = np.flatnonzero(np.isfinite(f.answer_hours))
    at = pa.array(answered)
    at_s = f.at_s[answered] + (f.answer_hours[answered] * answering.HOUR_S).astype(np.int64)
    rows.add(
        "fa", "message_sent", at_s, identifier.take(at), channel=channel.take(at),
        properties=json_object(
            text_member("purpose", np.full(len(answered), "service")),
            text_member("conversation", message_id.take(at)),
        ),
    )  # fmt: skip
