"""What of the inbox and the calendar needs somebody: who waits too long, what waits for a yes, who named the reader."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rapport.conversations import selectors as conversations
from rapport.conversations.rules.views import COUNTED_MAX, Wanted
from rapport.publishing import selectors as publishing
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web.access import may
from rapport.web.components import formats
from rapport.web.pages.home.line import Line

OVERDUE_PUBLIC = Wanted(is_overdue=True, is_public=True)


def waiting(request: HttpRequest) -> list[Line]:
    """Lines that lead into the inbox, what presses most first."""
    assert request.user.is_authenticated
    counted = conversations.counts(request.user.pk)
    lines = []
    public = len(conversations.page(OVERDUE_PUBLIC, request.user.pk, limit=COUNTED_MAX + 1).rows)
    if public:
        text = ngettext(
            "%(n)s public question has waited longer than its target",
            "%(n)s public questions have waited longer than their target",
            public,
        ) % {"n": _at_most(public)}
        lines.append(Line(text, _view("overdue"), "danger"))
    private = counted.get("overdue", 0) - public
    if private > 0:
        text = ngettext(
            "%(n)s private question has waited longer than its target",
            "%(n)s private questions have waited longer than their target",
            private,
        ) % {"n": _at_most(private)}
        lines.append(Line(text, _view("overdue"), "danger"))
    if (n := counted.get("approvals", 0)) and may(request, Right.APPROVE_ANSWERS):
        text = ngettext("%(n)s answer waits for approval", "%(n)s answers wait for approval", n) % {
            "n": _at_most(n)
        }
        lines.append(Line(text, _view("approvals"), "warn"))
    lines += _named(request)
    if n := conversations.n_steps_overdue():
        text = ngettext("%(n)s step of a recovery is overdue", "%(n)s steps of recoveries are overdue", n) % {
            "n": formats.number(n)
        }
        lines.append(Line(text, _view("recoveries"), "warn"))
    return lines + _posts(request)


def _posts(request: HttpRequest) -> list[Line]:
    """Posts of our own that wait for somebody, or did not leave."""
    if not may(request, Right.CHANGE_PUBLISHING):
        return []
    states = [row.state for row in publishing.pressing(COUNTED_MAX + 1)]
    lines = []
    if n := states.count("failed"):
        text = ngettext("%(n)s post did not leave everywhere", "%(n)s posts did not leave everywhere", n)
        lines.append(Line(text % {"n": _at_most(n)}, reverse("publishing"), "danger"))
    if n := states.count("waiting"):
        text = ngettext("%(n)s post waits for approval", "%(n)s posts wait for approval", n)
        lines.append(Line(text % {"n": _at_most(n)}, reverse("publishing"), "warn"))
    return lines


def _named(request: HttpRequest) -> list[Line]:
    assert request.user.is_authenticated
    named = conversations.mentions(request.user.pk)
    if not named:
        return []
    newest = named[0]
    if len(named) > 1:
        text = _("%(n)s notes name you") % {"n": _at_most(len(named))}
        return [Line(text, _view("mentions"))]
    by = next((one.name or one.email for one in staff.all_staff() if one.pk == newest.by), _("Somebody"))
    text = _("%(who)s named you in a note") % {"who": by}
    return [Line(text, reverse("inbox_one", args=[newest.conversation]), note=newest.title)]


def _at_most(n: int) -> str:
    return f"{COUNTED_MAX}+" if n > COUNTED_MAX else formats.number(n)


def _view(key: str) -> str:
    return f"{reverse('inbox')}?view={key}"
