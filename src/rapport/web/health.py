"""What the health page, `rapport doctor` and /metrics say: what is broken, since when, what to do."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rapport.consent import selectors as consent
from rapport.events import lake, selectors, upkeep
from rapport.kit import clock, home, process
from rapport.listening import selectors as listening
from rapport.messaging import selectors as messaging
from rapport.pacing import selectors as pacing
from rapport.publishing import services as publishing
from rapport.segments.selectors import columns
from rapport.web import jobs
from rapport.web.components import formats, words

LAG_WARN_S = 60
OVERDUE_S = 300
COLUMNS_STALE_S = 3600  # four times as long as the worker waits at most
FREE_BYTES_WARN = 2_000_000_000
FREE_BYTES_BAD = 200_000_000
PARTS = {
    "web": gettext_lazy("Screens"),
    "collect": gettext_lazy("Collector"),
    "load": gettext_lazy("Loader"),
    "work": gettext_lazy("Worker"),
    "jobs": gettext_lazy("Runner of jobs"),
    "listen": gettext_lazy("Reader of networks"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `state` is ok, warn or bad."""

    name: str
    state: str
    message: str
    hint: str = ""
    since: dt.datetime | None = None
    page: str = ""  # where something can be done about it


def checks() -> list[Check]:
    """Every check; one that cannot be made is itself bad and says why."""
    found: list[Check] = []
    for name, look in (
        (_("Data folder"), _disk),
        (_("Operational store"), _operational),
        (_("Lake"), _lake),
        (_("Processes"), _processes),
        (_("Loading"), _loader),
        (_("Subscribers"), _subscribers),
        (_("Jobs"), _jobs),
        (_("Columns"), _columns),
        (_("Sources"), _sources),
        (_("Quarantine"), _quarantine),
        (_("Messages"), _messages),
        (_("Erasures"), _erasures),
        (_("Requests"), _requests),
    ):
        found.extend(_made(name, look))
    return found


def _made(name: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from look()
    except Exception as error:
        # A check that fails is a finding, whatever it failed of.
        yield Check(name, "bad", str(error), _("Run “rapport init”; if it stays, see the logs folder."))


def _disk() -> Iterator[Check]:
    root = home.root()
    free = shutil.disk_usage(root).free
    state = "bad" if free < FREE_BYTES_BAD else "warn" if free < FREE_BYTES_WARN else "ok"
    yield Check(
        _("Data folder"),
        state,
        _("%(path)s, %(free)s free") % {"path": root, "free": formats.size(free)},
        _("Make room: at 0 the collector refuses events, and says so to their sender."),
    )


def _operational() -> Iterator[Check]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations")
    yield Check(_("Operational store"), "ok", _("%(kind)s answers") % {"kind": connection.vendor})


def _lake() -> Iterator[Check]:
    con = lake.connect()
    try:
        damaged = upkeep.verify(con)
    finally:
        con.close()
    for file in damaged:
        yield Check(
            _("Lake"),
            "bad",
            f"{file.path} {file.problem}",
            _(
                "Restart “rapport load”: it loads the file's events again from the spool, or says what is lost."
            ),
        )
    if not damaged:
        state = selectors.log_state()
        yield Check(
            _("Lake"),
            "ok",
            _("%(files)s files, %(size)s, none damaged")
            % {"files": formats.number(state.lake_files), "size": formats.size(state.lake_bytes)},
        )


def _processes() -> Iterator[Check]:
    known = {entry.name: entry for entry in process.running()}
    wanted = PARTS | ({"live": _("Live desk")} if publishing.is_live() else {})
    for part, called in wanted.items():
        name = f"{called} ({part})"
        entry = known.get(part)
        if entry and entry.alive:
            since = clock.from_us(entry.started_us)
            yield Check(name, "ok", _("runs as process %(pid)d") % {"pid": entry.pid}, since=since)
        else:
            yield Check(
                name,
                "warn",
                _("does not run"),
                _("“rapport serve” runs every part; “rapport %(part)s” runs this one.") % {"part": part},
                since=clock.from_us(entry.beat_us) if entry else None,
            )


def _sources() -> Iterator[Check]:
    """Networks that cannot be read, in the words of whoever refused."""
    rows = listening.sources()
    n_well = sum(row.is_on and not row.trouble for row in rows)
    for row in rows:
        if row.needs_login:
            yield Check(
                _("Source %(name)s") % {"name": row.name},
                "bad",
                _("it was stopped: %(why)s") % {"why": row.trouble},
                row.trouble_hint or _("Enter its log-in anew on the source's page."),
                since=row.trouble_since,
                page=reverse("network", args=[row.name]),
            )
        elif row.is_on and row.trouble:
            yield Check(
                _("Source %(name)s") % {"name": row.name},
                "warn" if row.is_late else "ok",
                row.trouble,
                row.trouble_hint or _("It is tried again by itself."),
                since=row.trouble_since,
                page=reverse("network", args=[row.name]),
            )
    if rows and n_well:
        text = ngettext("%(n)s network is read", "%(n)s networks are read", n_well)
        yield Check(_("Sources"), "ok", text % {"n": formats.number(n_well)}, page=reverse("networks"))


def _loader() -> Iterator[Check]:
    state = selectors.log_state()
    oldest = state.oldest_waiting_at
    lag_s = (clock.now() - oldest).total_seconds() if oldest else 0.0
    yield Check(
        _("Loading"),
        "warn" if lag_s > LAG_WARN_S else "ok",
        _("%(n)s events wait, the oldest for %(lag)s")
        % {"n": formats.number(state.waiting), "lag": formats.duration(lag_s)}
        if state.waiting
        else _("nothing waits"),
        _("They are safe in the spool. If the loader runs and this grows, its log says why."),
        since=oldest,
    )


def _subscribers() -> Iterator[Check]:
    for entry in selectors.subscriber_states():
        if entry.failing_since:
            yield Check(
                words.subscriber(entry.key),
                "bad",
                _("fails and is retried: %(error)s") % {"error": entry.error},
                _("It goes on from event %(seq)d once the cause is gone.") % {"seq": entry.seq},
                since=entry.failing_since,
            )
        else:
            yield Check(
                words.subscriber(entry.key),
                "ok",
                _("%(lag)s events behind") % {"lag": formats.number(entry.lag)},
            )


def _jobs() -> Iterator[Check]:
    failed = jobs.failed()
    yield Check(
        _("Jobs"),
        "warn" if failed else "ok",
        _("%(n)s failed in seven days, the last: %(error)s")
        % {"n": formats.number(len(failed)), "error": failed[0].error}
        if failed
        else _("%(n)s wait") % {"n": formats.number(jobs.n_due())},
        _("An import says on its own page what to do; then start it again."),
        since=failed[0].at if failed else None,
    )


def _columns() -> Iterator[Check]:
    """Whether what segments count in is there, new enough, and can be renewed."""
    found = columns.condition()
    if found.trouble is not None:
        yield Check(
            _("Columns"),
            "bad",
            _("people cannot be put into columns: %(error)s") % {"error": found.trouble.error},
            _(
                "Segments count in what was there before. It is tried again every five minutes; see the worker's log."
            ),
            since=found.trouble.since,
        )
    elif found.made_at is None:
        yield Check(_("Columns"), "ok", _("made when a segment is first counted"))
    else:
        age_s = (clock.now() - found.made_at).total_seconds()
        is_stale = found.n_newer > 0 and age_s > COLUMNS_STALE_S
        yield Check(
            _("Columns"),
            "warn" if is_stale else "ok",
            _("%(n)s people, written %(age)s ago; %(newer)s events came since")
            % {
                "n": formats.number(found.n_persons),
                "age": formats.duration(age_s),
                "newer": formats.number(found.n_newer),
            },
            _("“rapport work” renews them; see whether it runs, and its log."),
            since=found.made_at,
        )


def _messages() -> Iterator[Check]:
    """Whether mail can leave; nothing where it is not set up."""
    account = messaging.account("email")
    if account is None:
        return
    if account.trouble:
        hint = _("Open Messages, Mail: it explains the server's words. What is planned waits.")
        page = reverse("mail")
        yield Check(_("Messages"), "bad", account.trouble, hint, since=account.trouble_since, page=page)
        return
    if (holds := pacing.pause_all()) is not None:
        said = _("everything is paused by %(who)s") % {"who": holds.by}
        yield Check(
            _("Messages"),
            "warn",
            said,
            _("Let it go on from any page, or with “rapport resume”."),
            holds.since,
        )
        return
    overdue = None if pacing.pause() else messaging.overdue_since(OVERDUE_S)
    if overdue is not None:
        hint = _("“rapport work” lets messages leave; see whether it runs, and its log.")
        yield Check(_("Messages"), "warn", _("messages are overdue"), hint, since=overdue)
        return
    yield Check(_("Messages"), "ok", _("mail can leave"), since=account.sent_at)


def _quarantine() -> Iterator[Check]:
    counts = selectors.quarantine_counts()
    n = sum(counts.values())
    yield Check(
        _("Quarantine"),
        "warn" if n else "ok",
        ngettext("%(n)s row waits: %(reasons)s", "%(n)s rows wait: %(reasons)s", n)
        % {
            "n": formats.number(n),
            "reasons": ", ".join(f"{words.reason(r)} {formats.number(c)}" for r, c in counts.items()),
        }
        if n
        else _("nothing was refused"),
        _("Look at them under Sources, correct and replay."),
        page=reverse("quarantine"),
    )


def _erasures() -> Iterator[Check]:
    """A restored backup holds people who were erased since it was made."""
    n = consent.n_to_replay()
    if n:
        yield Check(
            _("Erasures"),
            "bad",
            ngettext(
                "%(n)s erased identifier is unknown to this store, which was restored from before it was erased",
                "%(n)s erased identifiers are unknown to this store, which was restored from before they were",
                n,
            )
            % {"n": formats.number(n)},
            _("Run `rapport people erase --replay --yes`."),
        )
    else:
        yield Check(_("Erasures"), "ok", _("whoever was erased is kept out"))


def _requests() -> Iterator[Check]:
    due = consent.due()
    if due.n_overdue:
        yield Check(
            _("Requests"),
            "warn",
            ngettext(
                "%(n)s request of a person is overdue", "%(n)s requests of people are overdue", due.n_overdue
            )
            % {"n": formats.number(due.n_overdue)},
            _("The page Requests lists them; the law gives a month."),
            due.next_at,
            page=reverse("requests"),
        )
    else:
        yield Check(_("Requests"), "ok", _("none is overdue"))
