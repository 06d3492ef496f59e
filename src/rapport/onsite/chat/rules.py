"""When somebody is there, by when one answers, what may be written, and who a chat is. Pure."""

from __future__ import annotations

import datetime as dt
import functools
import re
import tomllib
import zoneinfo
from collections.abc import Mapping, Sequence
from importlib import resources

from rapport.kit.errors import Invalid

CHANNEL = "chat"  # of the events and of the way out; also their network, venue and source
NAMESPACE = "anonymous"  # whoever chats is a browser until they prove more
PREFIX = "c-"  # of a chat's number, which is no number that the visitor script hands out

TEXT_CHARS_MAX = 4_000
LINES_A_DAY_MAX = 300  # of one chat
WITHIN_MIN = (1, 7 * 24 * 60)  # minutes that may be promised
WORD_CHARS_MAX = 400
HERE = dt.timedelta(minutes=3)  # since a colleague's screen was last heard of
GONE = dt.timedelta(minutes=3)  # since the visitor's was
KEEP = dt.timedelta(days=90)  # without a word, a chat's window is emptied; the conversation stays with us

MAILS_A_DAY = 6  # to one address: whoever types a stranger's address must not flood it

DAYS = 7
Hours = Mapping[str, Sequence[Sequence[str]]]  # of each weekday ("0" is Monday): from, until, as HH:MM

_TOKEN = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(r"[A-Za-z0-9-]{8,64}")
_VISITOR = re.compile(r"[0-9a-f]{32}")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_MAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}\.[^@\s.]{2,}")


@functools.cache
def shipped() -> dict[str, dict[str, str]]:
    """The window's words, by language."""
    text = resources.files("rapport.onsite.chat").joinpath("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def languages() -> tuple[str, ...]:
    """What the window speaks."""
    return tuple(shipped())


def language_of(wanted: str, default: str) -> str:
    """The language asked for where the window speaks it (`de-AT` is answered in `de`), else the site's own."""
    wanted = wanted.lower().replace("_", "-")[:16]
    for one in (wanted, wanted.partition("-")[0], default):
        if one in shipped():
            return one
    return "en"


def words(language: str, greeting: Mapping[str, str], firm: str) -> dict[str, str]:
    """What the window says in a language, with the firm's own greeting where it wrote one."""
    said = dict(shipped()[language])
    said["greeting"] = greeting.get(language) or said["greeting"]
    return {key: text.replace("{firm}", firm) for key, text in said.items()}


def token(given: str) -> str:
    """The secret by which a browser shows that a chat is its own; Invalid where it is none."""
    if not _TOKEN.fullmatch(given):
        raise Invalid("this is no chat of ours", "Load the page again.")
    return given


def key(given: str) -> str:
    """The browser's own name of one line, so that a line that is sent again is not taken twice."""
    if not _KEY.fullmatch(given):
        raise Invalid("this line has no name", "Load the page again.")
    return given


def visitor(given: str) -> str:
    """The visitor script's number of the browser; empty where it is none, or was not allowed."""
    return given if _VISITOR.fullmatch(given) else ""


def text(given: str) -> str:
    """What was written, without what no store holds."""
    said = given.replace("\0", "").replace("\r\n", "\n").strip()
    if not said:
        raise Invalid("nothing was written", "Write something first.")
    if len(said) > TEXT_CHARS_MAX:
        raise Invalid(
            f"this is longer than {TEXT_CHARS_MAX} characters", "Send it in two parts, or by e-mail."
        )
    return said


def mail(given: str) -> str:
    """An address to answer to; that it is somebody's proves nothing."""
    address = given.strip().lower()
    if not _MAIL.fullmatch(address) or len(address) > 254:
        raise Invalid(f"{given.strip()[:80]!r} is no e-mail address", "Write it like name@example.org.")
    return address


# Hours


def hours(given: Mapping[str, str]) -> dict[str, list[list[str]]]:
    """Opening hours as they are written (`09:00-12:30, 13:30-18:00`), by weekday; Invalid where not understood."""
    found: dict[str, list[list[str]]] = {}
    for day in range(DAYS):
        spans = []
        for part in re.split(r"[,;]", given.get(str(day), "")):
            if not part.strip():
                continue
            begin, dash, end = (one.strip() for one in re.sub("[–—]", "-", part).partition("-"))
            begin, end = (one if len(one) != 4 else f"0{one}" for one in (begin, end))
            if not dash or not _TIME.fullmatch(begin) or not _TIME.fullmatch(end) or begin >= end:
                raise Invalid(f"{part.strip()!r} are no hours", "Write them like 09:00-18:00.")
            spans.append([begin, end])
        if spans:
            found[str(day)] = sorted(spans)
    return found


def written(hours_: Hours, day: int) -> str:
    """The hours of a day, as a form shows them."""
    return ", ".join(f"{begin}-{end}" for begin, end in hours_.get(str(day), ()))


def _spans(hours_: Hours, zone: zoneinfo.ZoneInfo, day: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
    def at(clock: str) -> dt.datetime:
        hour, minute = (int(part) for part in clock.split(":"))
        over, hour = divmod(hour, 24)
        return dt.datetime.combine(day + dt.timedelta(days=over), dt.time(hour, minute), zone).astimezone(
            dt.UTC
        )

    return [(at(begin), at(end)) for begin, end in hours_.get(str(day.weekday()), ())]


def is_open(hours_: Hours, zone: str, now: dt.datetime) -> bool:
    """Whether the desk is open; without hours it always is."""
    if not hours_:
        return True
    here = zoneinfo.ZoneInfo(zone)
    return any(begin <= now < end for begin, end in _spans(hours_, here, now.astimezone(here).date()))


def answered_by(hours_: Hours, zone: str, now: dt.datetime, within_min: int) -> dt.datetime:
    """By when one answers: the promised minutes, counted in opening hours alone."""
    left = dt.timedelta(minutes=within_min)
    if not hours_:
        return now + left
    here = zoneinfo.ZoneInfo(zone)
    day = now.astimezone(here).date()
    for ahead in range(8 * DAYS):
        for opens, end in _spans(hours_, here, day + dt.timedelta(days=ahead)):
            begin = max(opens, now)
            if begin >= end:
                continue
            if left <= end - begin:
                return begin + left
            left -= end - begin
    return now + dt.timedelta(days=8 * DAYS)
