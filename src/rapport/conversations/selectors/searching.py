"""Search over every message there ever was, newest first, by words and beginnings of words."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext as _

from rapport.conversations.models import Message
from rapport.conversations.selectors.rows import Found, FoundPage
from rapport.kit.errors import Invalid

PAGE = 30
SLICE = 2 * PAGE  # matches looked at in one go
SLICES_MAX = 10  # of a word that mostly stands in posts nobody had to answer; whoever wants more asks for it
WORDS_MAX = 12
_WORD = re.compile(r"[\w]+", re.UNICODE)
_BEGIN, _END = "\x02", "\x03"

# Each gives number and excerpt of messages before a number, newest first.
_SQLITE = """
    SELECT rowid, snippet(conversations_search, -1, char(2), char(3), '…', 24)
    FROM conversations_search
    WHERE conversations_search MATCH %s AND rowid < %s
    ORDER BY rowid DESC LIMIT %s
"""
_POSTGRESQL = """
    SELECT m.id, ts_headline('simple', m.text || ' ' || m.author_name, to_tsquery('simple', %s),
           'StartSel=' || chr(2) || ',StopSel=' || chr(3) || ',MaxWords=24,MinWords=12')
    FROM conversations_message AS m
    WHERE m.words @@ to_tsquery('simple', %s) AND m.id < %s
    ORDER BY m.id DESC LIMIT %s
"""
NEWEST = 2**62


def of_events(seqs: Iterable[int]) -> dict[int, uuid.UUID]:
    """The conversation that each of these events is a message of; without those that are of none."""
    rows = Message.objects.filter(seq__in=list(seqs)).values_list("seq", "conversation_id")
    return {seq: conversation for seq, conversation in rows if seq is not None}


def search(words: str, before: str = "", limit: int = PAGE) -> FoundPage:
    """Messages that hold all these words, or words that begin so. Raises Invalid where there is no word in it."""
    terms = [w.lower() for w in _WORD.findall(words)][:WORDS_MAX]
    if not terms:
        raise Invalid(_("there is no word in what you search for"), _("Write at least one."))
    upto = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else NEWEST
    found: list[Found] = []
    for _slice in range(SLICES_MAX):
        matches = _matches(terms, upto, SLICE)
        for one in _shown(matches):
            if len(found) == limit:
                return FoundPage(tuple(found), str(found[-1].message))
            found.append(one)
        if len(matches) < SLICE:
            return FoundPage(tuple(found), "")
        upto = matches[-1][0]
    return FoundPage(tuple(found), str(upto))


def _matches(terms: list[str], upto: int, limit: int) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # A short beginning would stand for half of the dictionary; it is taken as a whole word.
            asked = " ".join(f'"{t}"*' if len(t) > 2 else f'"{t}"' for t in terms)
            cursor.execute(_SQLITE, [asked, upto, limit])
        else:
            asked = " & ".join(f"{t}:*" if len(t) > 2 else t for t in terms)
            cursor.execute(_POSTGRESQL, [asked, asked, upto, limit])
        return [(number, excerpt) for number, excerpt in cursor.fetchall()]


def _shown(matches: list[tuple[int, str]]) -> list[Found]:
    """Those of them that stand in a conversation; what nobody had to answer stands in none."""
    rows = Message.objects.filter(id__in=[n for n, _m in matches]).exclude(conversation__state="aside")
    known = {m.id: m for m in rows.select_related("conversation").defer("text")}
    return [
        Found(
            m.id,
            m.conversation_id,
            m.conversation.title,
            m.conversation.state,
            m.conversation.channel,
            m.author_name,
            m.direction,
            m.ts,
            _marked(excerpt),
        )
        for number, excerpt in matches
        if (m := known.get(number))
    ]


def _marked(excerpt: str) -> tuple[tuple[str, bool], ...]:
    pieces: list[tuple[str, bool]] = []
    for number, part in enumerate(re.split(f"[{_BEGIN}{_END}]", excerpt)):
        if part:
            pieces.append((part, number % 2 == 1))
    return tuple(pieces)
