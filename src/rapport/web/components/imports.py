"""Imports in words: their kinds, states, fields and options."""

from __future__ import annotations

from typing import Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.web.components import formats

KINDS: dict[str, tuple[Any, Any]] = {
    "people": (gettext_lazy("People"), gettext_lazy("Who your customers are: one person a line.")),
    "orders": (
        gettext_lazy("Orders"),
        gettext_lazy("What was bought and given back: one order line a line."),
    ),
    "events": (gettext_lazy("Events"), gettext_lazy("Anything that happened: one event a line.")),
    "posts": (gettext_lazy("Posts"), gettext_lazy("What people said in public: one post a line.")),
    "weblog": (gettext_lazy("Web log"), gettext_lazy("Who looked at your site: a web server's access log.")),
    "products": (gettext_lazy("Products"), gettext_lazy("What you sell: one product a line.")),
    "consents": (
        gettext_lazy("Consents"),
        gettext_lazy("What people allowed, refused or took back: one answer a line."),
    ),
    "answers": (
        gettext_lazy("Answers"),
        gettext_lazy("What people answered to questions: one answer a line."),
    ),
}

STATES: dict[str, tuple[Any, str]] = {
    "queued": (gettext_lazy("waits"), ""),
    "running": (gettext_lazy("runs"), "accent"),
    "done": (gettext_lazy("done"), "accent"),
    "failed": (gettext_lazy("failed"), "danger"),
}

PHASES: dict[str, Any] = {
    "reading": gettext_lazy("Reading"),
    "recording orders": gettext_lazy("Recording orders"),
    "loading": gettext_lazy("Loading"),
}

OPTIONS: dict[str, tuple[Any, Any]] = {
    "currency": (gettext_lazy("Currency"), gettext_lazy("Of amounts whose row does not say.")),
    "network": (gettext_lazy("Network"), gettext_lazy("Of posts whose row does not say.")),
    "channel": (gettext_lazy("Channel"), gettext_lazy("Of rows that do not say.")),
    "purpose": (
        gettext_lazy("Purpose"),
        gettext_lazy("Of rows that do not say: its key, such as marketing."),
    ),
    "state": (gettext_lazy("State"), gettext_lazy("Of rows that do not say: granted, denied or withdrawn.")),
    "survey": (gettext_lazy("Survey"), gettext_lazy("Of answers whose row does not say.")),
    "date_order": (gettext_lazy("Dates like 02/03/2015"), gettext_lazy("Which comes first.")),
    "decimal": (gettext_lazy("Decimals"), gettext_lazy("What comes before them.")),
    "account": (
        gettext_lazy("Your account"),
        gettext_lazy(
            "Whose archive it is, where it does not say: a handle, mail addresses, your name in a chat."
        ),
    ),
    "time_zone": (gettext_lazy("Time zone"), gettext_lazy("Of times without one; UTC otherwise.")),
    "site": (gettext_lazy("The site's own address"), gettext_lazy("Its pages are no referrers.")),
}

# Which options mean something for a kind of file.
OPTIONS_OF: dict[str, tuple[str, ...]] = {
    "people": ("date_order", "time_zone"),
    "orders": ("currency", "date_order", "decimal", "time_zone", "channel"),
    "events": ("currency", "date_order", "decimal", "time_zone", "channel"),
    "posts": ("network", "account", "date_order", "time_zone"),
    "weblog": ("site",),
    "products": ("currency", "decimal", "date_order"),
    "answers": ("survey", "date_order", "time_zone"),
    "consents": ("purpose", "state", "channel", "date_order", "time_zone"),
}

# Those of posts that mean something for files of rows alone, and for archives of networks alone.
OF_ROWS, OF_ARCHIVES = frozenset({"network"}), frozenset({"account"})

CHOICES: dict[str, tuple[tuple[str, Any], ...]] = {
    "date_order": (
        ("", gettext_lazy("As the file suggests")),
        ("day", gettext_lazy("The day")),
        ("month", gettext_lazy("The month")),
    ),
    "decimal": (
        ("", gettext_lazy("As the file suggests")),
        ("point", gettext_lazy("A point")),
        ("comma", gettext_lazy("A comma")),
    ),
}

# Networks and numbers whose identifiers a column may hold, beside the fields of a kind.
NAMESPACES = (
    "mastodon",
    "bluesky",
    "instagram",
    "facebook",
    "x",
    "youtube",
    "reddit",
    "loyalty",
    "anonymous",
)


class Ran(Protocol):
    """What an import's state is told from."""

    @property
    def state(self) -> str: ...
    @property
    def n_quarantined(self) -> int: ...


def kind(name: str) -> str:
    """A kind of file in a word."""
    return str(KINDS[name][0]) if name in KINDS else name


def state(row: Ran) -> tuple[str, str]:
    """An import's state in a word, and its tone."""
    word, tone = STATES.get(row.state, (row.state, ""))
    if row.state == "done" and row.n_quarantined:
        tone = "warn"
    return str(word), tone


def progress(found: Any | None) -> str:
    """How far a job is, in words."""
    if found is None:
        return _("Waits for the worker.")
    phase = str(PHASES.get(found.phase, found.phase))
    if not found.expected:
        return f"{phase}: {formats.number(found.done)}"
    return _("%(phase)s: %(done)s of about %(expected)s") % {
        "phase": phase,
        "done": formats.number(found.done),
        "expected": formats.number(max(found.done, found.expected)),
    }


def done_percent(found: Any | None) -> int | None:
    """How far a job is, from 0 to 100, where that is known."""
    if found is None or not found.expected:
        return None
    return min(100, int(100 * found.done / found.expected))
