"""Ask networks about what we have of them, so that what was deleted there is noticed however long ago it was read.

A cursor remembers the newest posts alone. So every hour a part of all that we keep of a source is asked for
again; the parts are chosen so that each post is asked for twice within the hours that the network's terms give
a deletion. Which part is a matter of the hour and the post's number, so that nothing has to be remembered but
how far the hour's part was read.
"""

from __future__ import annotations

import logging
from pathlib import Path

from rapport.events import lake
from rapport.kit import clock, home, query
from rapport.kit.errors import Conflict
from rapport.listening.contract import Failed, Rechecks
from rapport.listening.models import Source
from rapport.listening.services import asking, rounds, saying, sources, unchecked

log = logging.getLogger(__name__)

AT_ONCE = 500  # posts in one turn, after which the source is read again
HOUR_S = 3_600
TEXTS = (saying.NAMES["post"], saying.NAMES["message"], saying.OUR_PUBLIC)


def recheck_if_due(name: str, is_stopping: asking.Stopping = asking.never) -> int:
    """Ask for the next of what we keep of a source; gives how many deletions and changes that told.

    Also of one that is switched off: it is read no more, but what is kept of it can still be deleted there.
    """
    source = sources.row(name)
    offered = sources.connector(source.connector)
    terms = sources.terms_of_row(source)
    if not isinstance(offered, Rechecks) or terms is None or source.state == Source.State.NEEDS_LOGIN:
        return 0
    hour = int(clock.now().timestamp()) // HOUR_S
    done_hour, done = _progress(name)
    if done_hour == hour and done < 0:
        return 0
    start = done if done_hour == hour else 0
    kept = _kept(name, hour % max(terms.deletes_within_h // 2, 1), max(terms.deletes_within_h // 2, 1))
    part = kept[start : start + AT_ONCE]
    try:
        with home.lock(f"source-{name}"):
            context = asking.context(source, offered.manners, is_stopping)
            said = offered.recheck(sources.config_of(source), part, context) if part else ()
            n = rounds.keep(source, said, (), cursor=None)
    except Conflict:
        return 0
    except Failed as error:
        log.info("%s could not be asked for what was deleted: %s", name, error.message)
        unchecked.note(name, works=False)
        return 0
    if part:
        unchecked.note(name, works=True)
    _note(name, hour, start + len(part) if start + len(part) < len(kept) else -1)
    return n


def _kept(name: str, part: int, parts: int) -> list[str]:
    """The numbers of the posts that belong to one part."""
    beginnings = [f"{n:02x}" for n in range(256) if n % parts == part]
    con = lake.connect()
    try:
        asked = {"source": name, "names": list(TEXTS), "beginnings": beginnings}
        return [
            post
            for (post,) in query.run(con, query.load("rapport.listening", "kept_posts"), asked).fetchall()
        ]
    finally:
        con.close()


def _progress(name: str) -> tuple[int, int]:
    try:
        hour, done = _marker(name).read_text(encoding="ascii").split()
        return int(hour), int(done)
    except (FileNotFoundError, ValueError):
        return -1, 0


def _note(name: str, hour: int, done: int) -> None:
    _marker(name).parent.mkdir(parents=True, exist_ok=True)
    _marker(name).write_text(f"{hour} {done}", encoding="ascii")


def _marker(name: str) -> Path:
    return home.path("listening", f"rechecked-{name}")
