"""What stands around every page: the rail, what is running, and who reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from rapport.listening import selectors as listening
from rapport.messaging import selectors as messaging
from rapport.pacing import selectors as pacing
from rapport.publishing import selectors as publishing
from rapport.staff.rules import Right
from rapport.web import discovery, jobs
from rapport.web.components import formats, imports

RUNNING_MAX = 10  # of the newest imports, those under way are shown

GROUPS = {
    "home": "",  # alone at the top
    "talk": _("Talk"),
    "know": _("Know"),
    "reach": _("Reach"),
    "learn": _("Learn"),
    "setup": _("Set up"),
}
FOLDED = "setup"  # the longest group, and not needed every day: opened by a press


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the rail: the url name it opens, and the url names it is lit for."""

    name: str
    label: Any  # a lazy translation
    icon: str
    group: str
    order: int
    right: Right | None = None
    also: tuple[str, ...] = ()
    url: str = ""
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the palette can do: a page to open or a form to start."""

    name: str
    label: Any  # a lazy translation
    right: Right | None = None
    fragment: str = ""

    @property
    def url(self) -> str:
        return reverse(self.name) + self.fragment


@dataclass(frozen=True, slots=True)
class Group:
    label: Any  # empty for what stands alone
    entries: list[Entry]
    is_open: bool = True


def _allowed(request: HttpRequest, right: Right | None) -> bool:
    return right is None or bool(request.user.is_authenticated and request.user.may(right))


def rail(request: HttpRequest) -> list[Group]:
    """The rail's groups with the entries that this reader's role opens."""
    here = request.resolver_match.view_name if request.resolver_match else ""
    entries = [
        replace(entry, url=reverse(entry.name), is_here=here == entry.name or here in entry.also)
        for module in discovery.page_modules()
        for entry in getattr(module, "entries", ())
        if _allowed(request, entry.right)
    ]
    entries.sort(key=lambda entry: entry.order)
    groups = []
    for key, label in GROUPS.items():
        inside = [e for e in entries if e.group == key]
        # Whoever has nothing else, such as a colleague without a role, need not open it first.
        is_open = key != FOLDED or any(e.is_here for e in inside) or len(inside) < 3
        groups.append(Group(label, inside, is_open))
    return [group for group in groups if group.entries]


def actions(request: HttpRequest) -> list[Action]:
    """Every page and action the palette offers this reader, pages first."""
    modules = discovery.page_modules()
    opens = sorted((e for m in modules for e in getattr(m, "entries", ())), key=lambda e: e.order)
    does = [a for m in modules for a in getattr(m, "actions", ())]
    offered = [Action(e.name, e.label, e.right) for e in opens] + does
    return [action for action in offered if _allowed(request, action.right)]


@dataclass(frozen=True, slots=True)
class Running:
    """One job under way, as the top of every page shows it."""

    label: str
    url: str
    percent: str


def running(request: HttpRequest) -> list[Running]:
    """The models at work, for those who see what they say; imports that run or wait, for those who see sources."""
    found = []
    if _allowed(request, Right.SEE_INSIGHTS) and jobs.progress(jobs.MODELS):
        found.append(Running(str(_("Models are running")), reverse("insights"), ""))
    if not _allowed(request, Right.SEE_SOURCES):
        return found
    for row in listening.imports_page(limit=RUNNING_MAX):
        if row.state in {"queued", "running"}:
            done = imports.done_percent(jobs.progress(f"import-{row.id}"))
            percent = "" if done is None else formats.percent(done / 100)
            found.append(Running(row.file_name, reverse("imported", args=[row.id]), percent))
    return found


def _find_url(request: HttpRequest) -> str:
    try:
        return reverse("people") if _allowed(request, Right.SEE_PEOPLE) else ""
    except NoReverseMatch:
        return ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """That nothing leaves, as the bar above every page says it."""

    pause: pacing.PauseAllView
    n_waiting: int
    n_outdated: int


def stopped() -> Stopped | None:
    """The pause of everything that holds now, and what waits for its end."""
    holds = pacing.pause_all()
    if holds is None:
        return None
    return Stopped(holds, messaging.n_waiting() + publishing.n_due(), messaging.n_outdated())


def context(request: HttpRequest) -> dict[str, Any]:
    """The frame's own context, worked out only where a template asks for it."""
    # An error page may come before anybody was looked up.
    staff = getattr(request, "user", None)
    known = bool(staff and staff.is_authenticated)
    return {
        "find_url": SimpleLazyObject(lambda: _find_url(request)) if known else "",
        "running": SimpleLazyObject(lambda: running(request)) if known else [],
        "rail": SimpleLazyObject(lambda: rail(request)) if known else [],
        "stopped": SimpleLazyObject(stopped) if known else None,
        "may_pause": known and _allowed(request, Right.PAUSE_ALL),
        "staff": staff if known else None,
        "theme": staff.theme if staff and known else "auto",
    }
