"""Search over every message there ever was, newest first, by words and beginnings of words."""

from __future__ import annotations

import re

from django.db import connection
from django.utils.translation import gettext as _

from rapport.conversations.models import Message
from rapport.conversations.selectors.rows import Found, FoundPage
from rapport.kit.errors import Invalid

PAGE = 30
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


def search(words: str, before: str = "", limit: int = PAGE) -> FoundPage:
    """Messages that hold all these words, or words that begin so. Raises Invalid where there is no word in it."""
    terms = [w.lower() for w in _WORD.findall(words)][:WORDS_MAX]
    if not terms:
        raise Invalid(_("there is no word in what you search for"), _("Write at least one."))
    upto = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else NEWEST
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # A short beginning would stand for half of the dictionary; it is taken as a whole word.
            asked = " ".join(f'"{t}"*' if len(t) > 2 else f'"{t}"' for t in terms)
            cursor.execute(_SQLITE, [asked, upto, limit + 1])
        else:
            asked = " & ".join(f"{t}:*" if len(t) > 2 else t for t in terms)
            cursor.execute(_POSTGRESQL, [asked, asked, upto, limit + 1])
        matches = cursor.fetchall()
    shown = matches[:limit]
    rows = Message.objects.filter(id__in=[n for n, _m in shown]).exclude(conversation__state="aside")
    known = {m.id: m for m in rows.select_related("conversation").defer("text")}
    found = tuple(
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
        for number, excerpt in shown
        if (m := known.get(number))
    )
    return FoundPage(found, str(shown[-1][0]) if len(matches) > limit else "")


def _marked(excerpt: str) -> tuple[tuple[str, bool], ...]:
    pieces: list[tuple[str, bool]] = []
    for number, part in enumerate(re.split(f"[{_BEGIN}{_END}]", excerpt)):
        if part:
            pieces.append((part, number % 2 == 1))
    return tuple(pieces)
