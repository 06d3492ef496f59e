"""What a conversation is, from what was said in it: who began it, who waits since when, how it stands. Pure.

The same messages give the same answer in whatever order they came.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

PUBLIC_CHANNELS = ("social", "review", "community")
# Ours counts as an answer once it is on its way; what waits for approval or did not leave is none.
GIVEN = ("", "planned", "sent", "unknown")
TITLE_MAX, PREVIEW_MAX = 120, 180
THANKS_MAX = 80  # characters; what is longer may say more than thanks
_THANKS = re.compile(
    r"\b(thank(s| you| u)?|thx|ty|cheers|appreciate(d)?|danke\w*|vielen dank|merci\w*|gracias|grazie"
    r"|obrigad[oa]|bedankt|dank je|dank u)\b"
    r"|감사|고마|ありがとう|شكرا",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"[?？؟]|\b(but|still|however|again|not|never|aber|trotzdem|immer noch|nicht|mais|toujours|pas"
    r"|pero|todavía|aún|no|ma|ancora|non"
    r"|mas|ainda|não|maar|nog|niet|please|bitte|for nothing|für nichts|pour rien|por nada)\b",
    re.IGNORECASE,
)


def is_thanks(text: str) -> bool:
    """Whether words say thanks and nothing besides, so that nobody waits for more.

    >>> is_thanks("Thanks, that helped!"), is_thanks("Thanks, but it still fails"), is_thanks("Thanks for nothing")
    (True, False, False)
    """
    bare = re.sub(r"@\w+", "", text).strip()
    return 0 < len(bare) <= THANKS_MAX and bool(_THANKS.search(bare)) and not _MORE.search(bare)


AUTOMATIC = "automatic"  # the state of what a machine wrote by itself


@dataclass(frozen=True, slots=True)
class Piece:
    """One message, as far as its conversation asks."""

    id: int
    ts: dt.datetime
    seq: int  # 0 where it is no event yet
    direction: str
    subject: int | None = None
    identifier: str = ""
    author_name: str = ""
    text: str = ""  # its beginning
    channel_is_public: bool = False
    network: str = ""
    source: str = ""
    venue: str = ""
    post_id: str = ""
    in_reply_to: str = ""
    topic: str = ""
    event_name: str = ""
    asks_us: bool = False
    may_open: bool = False
    is_help: bool = False
    is_complaint: bool = False
    is_thanks: bool = False
    signs: tuple[str, ...] = ()
    stars: float | None = None
    sentiment: str = ""
    intent: str = ""
    language: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the pieces add up to."""

    why: str
    subject: int | None
    identifier: str
    author_name: str
    network: str
    source: str
    venue: str
    title: str
    preview: str
    is_public: bool
    language: str
    sentiment: str
    intent: str
    signs: tuple[str, ...]
    stars: float | None
    first_ts: dt.datetime
    last_ts: dt.datetime
    last_in_ts: dt.datetime | None
    last_ask_ts: dt.datetime | None
    waiting_since: dt.datetime | None
    first_answered_at: dt.datetime | None
    n_messages: int
    whys: dict[int, str]  # by message


def why(piece: Piece, ours: frozenset[tuple[str, str]], stars_max: float) -> str:
    """Why this message asks for an answer of ours; empty where it does not."""
    if piece.direction != "in" or piece.state in ("deleted", AUTOMATIC) or piece.is_thanks:
        return ""
    if piece.event_name == "survey_answered":
        return "survey" if piece.may_open else ""
    if not piece.channel_is_public:
        return "private"
    if piece.stars is not None and piece.stars <= stars_max:
        return "review"
    is_glad = piece.intent == "praise"
    if piece.asks_us and not is_glad:
        return "asked_us"
    if (piece.network, piece.in_reply_to) in ours and not is_glad:
        return "answered_us"
    if piece.may_open:
        if piece.is_help:
            return "help"
        if piece.is_complaint and piece.sentiment == "negative":
            return "complaint"
    return ""


def summed(pieces: Sequence[Piece], stars_max: float = 2.0) -> Summary:
    """Add the pieces of one conversation up; there must be one. Notes are among us, and say nothing of it."""
    ordered = sorted(pieces, key=lambda p: (p.ts, p.network, p.post_id, p.seq or p.id))
    said = [p for p in ordered if p.direction != "note"] or ordered
    ours = frozenset((p.network, p.post_id) for p in said if p.direction == "out" and p.post_id)
    whys = {p.id: reason for p in said if (reason := why(p, ours, stars_max))}
    asking = [p for p in said if p.id in whys]
    theirs = [p for p in said if p.direction == "in"]
    answers = [p for p in said if p.direction == "out" and p.state in GIVEN]
    first = (theirs or said)[0]
    head = (
        asking[0] if asking and first.channel_is_public else first
    )  # who asks, not who the thread began with
    last_out = answers[-1].ts if answers else None
    unanswered = [p for p in asking if last_out is None or p.ts > last_out]
    first_ask = asking[0].ts if asking else None
    first_answered = next((p.ts for p in answers if first_ask and p.ts >= first_ask), None)
    told = asking[-1] if asking else first
    latest = next((p for p in reversed(said) if p.text), said[-1])
    subject_line = next((p.topic for p in said if p.topic), "")
    return Summary(
        why=whys[asking[0].id] if asking else "",
        subject=head.subject if theirs else None,
        identifier=head.identifier if theirs else "",
        author_name=head.author_name if theirs else "",
        network=head.network,
        source=head.source,
        venue=head.venue,
        title=_cut(subject_line or head.text, TITLE_MAX),
        preview=_cut(latest.text, PREVIEW_MAX),
        is_public=any(p.channel_is_public for p in said),
        language=next((p.language for p in (told, *reversed(theirs)) if p.language), ""),
        sentiment=told.sentiment,
        intent=told.intent,
        signs=tuple(sorted({sign for p in (unanswered or asking) for sign in p.signs})),
        stars=min((p.stars for p in asking if p.stars is not None), default=None),
        first_ts=said[0].ts,
        last_ts=said[-1].ts,
        last_in_ts=theirs[-1].ts if theirs else None,
        last_ask_ts=asking[-1].ts if asking else None,
        waiting_since=unanswered[0].ts if unanswered else None,
        first_answered_at=first_answered,
        n_messages=len(said),
        whys=whys,
    )


def _cut(text: str, most: int) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Standing:
    """State and, where it is resolved by itself, as what and why."""

    state: str
    outcome: str = ""
    why: str = ""


STALE, ANSWERED, TAKEN_BACK = "stale", "answered_and_quiet", "taken_back"


def standing(
    current: str, summary: Summary, now: dt.datetime, stale_days: int, *, asks_anew: bool, is_held: bool
) -> Standing:
    """How a conversation stands once something was said in it.

    current : its state, "" where it is new
    asks_anew : something was just said to us that wants an answer
    is_held : staff began it or split it off; it is not put aside for want of a question
    """
    horizon = now - dt.timedelta(days=stale_days)
    if not summary.whys and not is_held:
        if current in ("", "aside"):
            return Standing("aside")
        if current in ("open", "snoozed"):
            return Standing("resolved", "no_answer_needed", TAKEN_BACK)
        return Standing(current)
    if current in ("", "aside"):
        if summary.last_ts < horizon:
            if summary.waiting_since is None:
                return Standing("resolved", "solved", ANSWERED)
            return Standing("resolved", "left_alone", STALE)
        return Standing("open" if summary.waiting_since or not summary.first_answered_at else "pending")
    if (
        asks_anew
        and summary.waiting_since is not None
        and summary.last_ask_ts
        and summary.last_ask_ts >= horizon
    ):
        return Standing("open")
    if current == "open" and summary.waiting_since is None and summary.first_answered_at is not None:
        return Standing("pending")
    return Standing(current)
