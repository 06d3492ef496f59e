"""Portfolio: worth against the cost of serving, and who is answered next, tried before it is switched on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from rapport.kit import clock
from rapport.kit.errors import NotFound, RapportError
from rapport.people import selectors as people
from rapport.portfolio import selectors, services
from rapport.portfolio.rules import Policy
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web import charts
from rapport.web.access import may, needs
from rapport.web.components import formats, words
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry
from rapport.web.pages.portfolio import telling
from rapport.web.pages.portfolio.form import PolicyForm, filled

entries = [
    Entry(
        "portfolio",
        gettext_lazy("Portfolio"),
        "portfolio",
        "know",
        35,
        Right.SEE_PORTFOLIO,
        also=("portfolio_people", "portfolio_longer", "portfolio_change"),
    )
]
actions = [Action("portfolio", gettext_lazy("Share service effort"), Right.SEE_PORTFOLIO, "#policy")]

PAGE = 50
QUEUE_SHOWN = 12
# Corner: what it is called, what to do about it, and the colour of its marks.
CORNERS: dict[str, tuple[Any, Any, str]] = {
    "care": (
        gettext_lazy("Worth much, much to serve"),
        gettext_lazy("Look for what keeps going wrong, and mend it."),
        "series-1",
    ),
    "steady": (
        gettext_lazy("Worth much, little to serve"),
        gettext_lazy("Keep them. Thank them."),
        "series-2",
    ),
    "gain": (
        gettext_lazy("Worth little yet, much to serve"),
        gettext_lazy("See why they need so much help."),
        "series-3",
    ),
    "quiet": (
        gettext_lazy("Worth little yet, little to serve"),
        gettext_lazy("Some could be worth more: see who."),
        "series-4",
    ),
}


@needs(Right.SEE_PORTFOLIO)
def portfolio(request: HttpRequest) -> HttpResponseBase:
    return render(request, "pages/portfolio/page.html", _context(request))


def _context(request: HttpRequest, form: PolicyForm | None = None, wrong: str = "") -> dict[str, Any]:
    board = selectors.board(request.GET.get("currency"))  # empty: no currency is stated
    policy = selectors.policy()
    tried = _tried(request.GET.get("tried", ""))
    seen = tried or selectors.simulation_of(policy) or next(iter(selectors.simulations(1)), None)
    corners = selectors.corners(board)
    queue = selectors.queue(policy)
    longest = dt.timedelta(hours=policy.longest_wait_hours)
    is_of_force = seen is not None and seen.policy.as_json() == policy.as_json()
    return {
        "board": board,
        "chart": _chart(board, corners) if len(board) else None,
        "corners": [(c, *CORNERS[c.name][:2], _people_url(board, corner=c.name)) for c in corners],
        "tiers": [(t, _people_url(board, tier=t.tier)) for t in selectors.tiers(board)] if len(board) else [],
        "policy": policy,
        "form": form or filled(tried.policy if tried else policy, staff.currency()),
        "wrong": wrong,
        "seen": telling.told(seen) if seen else None,
        "is_of_force": is_of_force,
        "is_tried": tried is not None,
        "queue": [
            (turn, matter, words.event_label(matter.kind), name)
            for (turn, matter), name in zip(
                list(zip(queue.turns, queue.matters, strict=True))[:QUEUE_SHOWN],
                _names([m.person for m in queue.matters[:QUEUE_SHOWN]]),
                strict=True,
            )
        ],
        "n_waiting": len(queue.turns),
        "n_overdue": sum(clock.now() - m.since > longest for m in queue.matters),
        "short_minutes": queue.short_minutes,
        "history": [(p, telling.changed(p, before)) for p, before in _pairs(selectors.history())],
        "can_change": may(request, Right.CHANGE_PORTFOLIO),
        "can_see_people": may(request, Right.SEE_PEOPLE),
    }


def _pairs(history: list[Policy]) -> list[tuple[Policy, Policy]]:
    """Each version beside the one before it; the first beside the one that the product begins with."""
    return list(zip(history, [*history, Policy()][1:], strict=True))


def _tried(text: str) -> selectors.SimulationView | None:
    if not text.isdecimal():
        return None
    return next((s for s in selectors.simulations(20) if s.id == int(text)), None)


def _names(persons: list[int | None]) -> list[str]:
    known = {row.id: row.display_name for row in people.person_rows(p for p in persons if p)}
    return [known.get(p or 0, "") or _("somebody") for p in persons]


def _people_url(board: selectors.Board, **chosen: Any) -> str:
    asked = {k: v for k, v in chosen.items() if v != ""}
    if board.currencies and board.currency != board.currencies[0]:
        asked["currency"] = board.currency
    return f"{reverse('portfolio_people')}?{urlencode(asked)}"


def _chart(board: selectors.Board, corners: list[selectors.Corner]) -> charts.Chart:
    """Worth across, cost upwards; a mark is as large as its people are many."""
    found = selectors.bands(board)
    dear = [c for c in corners if c.name in ("care", "gain")]
    n = sum(c.n for c in dear)
    title = ngettext(
        "%(n)s person in %(all)s takes %(cost)s of all service and brings %(worth)s of the worth",
        "%(n)s people in %(all)s take %(cost)s of all service and bring %(worth)s of the worth",
        n,
    ) % {
        "n": formats.number(n),
        "all": formats.number(len(board)),
        "cost": formats.percent(sum(c.cost_ratio for c in dear)),
        "worth": formats.percent(sum(c.worth_ratio for c in dear)),
    }
    cells = [
        (x, y, int(found.n[x, y]), CORNERS[_corner(x, y)][2], _people_url(board, worth=x, cost=y))
        for x in range(found.n.shape[0])
        for y in range(found.n.shape[1])
    ]
    return charts.crossed(
        title,
        cells,
        x_labels=telling.band_labels(found.worth_edges, board.currency),
        y_labels=[
            _("nothing"),
            *telling.band_labels(found.cost_edges, board.currency),
        ],
        x_title=_("Worth"),
        y_title=_("Cost to serve in a year"),
        right=Right.SEE_PORTFOLIO,
        alt=title + ". " + " ".join(f"{CORNERS[c.name][0]}: {formats.people(c.n)}." for c in corners),
        note=_("Each mark is a group of people, as large as they are many; open one to see who they are."),
        legend=[(str(CORNERS[name][0]), CORNERS[name][2]) for name in selectors.CORNERS],
    )


def _corner(worth_band: int, cost_band: int) -> str:
    """The mean is the third edge of worth, and the second of cost."""
    much, dear = worth_band >= 3, cost_band >= 3
    return ("care" if dear else "steady") if much else ("gain" if dear else "quiet")


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person of a corner, tier or field."""

    id: int
    name: str
    worth: int
    cost: int
    potential: int
    saving: str
    tier: str


@needs(Right.SEE_PORTFOLIO)
def members(request: HttpRequest) -> HttpResponseBase:
    asked = {key: request.GET.get(key, "") for key in ("corner", "tier", "worth", "cost", "page")}
    board = selectors.board(request.GET.get("currency"))  # empty: no currency is stated
    corner = asked["corner"] if asked["corner"] in CORNERS else ""
    tier = asked["tier"] if asked["tier"] in selectors.TIERS else ""
    worth, cost = (
        int(asked[k]) if asked[k].isdecimal() and len(asked[k]) < 3 else None for k in ("worth", "cost")
    )
    found = selectors.members(board, corner=corner, tier=tier, worth_band=worth, cost_band=cost)
    page = int(asked["page"]) if asked["page"].isdecimal() and len(asked["page"]) < 7 else 0
    first = page * PAGE
    at = slice(first, first + PAGE)
    names = _names([int(p) for p in found.person[at]])
    known = {row.id for row in people.person_rows(int(p) for p in found.person[at])}
    lines = [
        PersonLine(
            id=int(found.person[k]) if int(found.person[k]) in known else 0,
            name=name,
            worth=round(found.worth[k]),
            cost=round(found.cost[k]),
            potential=round(found.potential[k]),
            saving=telling.per_minute(found, k),
            tier=str(found.tier[k]),
        )
        for k, name in zip(range(first, min(first + PAGE, len(found))), names, strict=True)
    ]
    chosen = {k: v for k, v in asked.items() if v and k != "page"}
    if "currency" in request.GET:
        chosen["currency"] = board.currency
    context = {
        "lines": lines,
        "n": len(found),
        "currency": board.currency,
        "title": telling.members_title(
            str(CORNERS[corner][0]) if corner else "",
            tier,
            selectors.bands(board),
            worth,
            cost,
            board.currency,
        ),
        "worth": float(found.worth.sum()),
        "cost": float(found.cost.sum()),
        "potential": float(found.potential.sum()),
        "next_url": f"?{urlencode(chosen | {'page': page + 1})}" if first + PAGE < len(found) else "",
        "previous_url": f"?{urlencode(chosen | {'page': page - 1})}" if page else "",
        "can_see_people": may(request, Right.SEE_PEOPLE),
    }
    return render(request, "pages/portfolio/people.html", context)


@needs(Right.SEE_PORTFOLIO)
def longer(request: HttpRequest, number: int) -> HttpResponseBase:
    """Who would have waited longer under what was tried."""
    seen = _tried(str(number))
    if seen is None:
        raise NotFound(_("this trial is no longer kept"), _("Try the policy again; that takes a moment."))
    found = selectors.longer(seen)
    page = request.GET.get("page", "")
    first = int(page) * PAGE if page.isdecimal() and len(page) < 7 else 0
    shown = found[first : first + PAGE]
    known = {row.id: row.display_name for row in people.person_rows(x.person for x in shown)}
    context = {
        "lines": [
            (x, known.get(x.person, ""), telling.hours(x.present_hours), telling.hours(x.policy_hours),
             telling.hours(x.policy_hours - x.present_hours))
            for x in shown
        ],
        "n": len(found),
        "seen": seen,
        "next_url": f"?page={first // PAGE + 1}" if first + PAGE < len(found) else "",
        "previous_url": f"?page={first // PAGE - 1}" if first else "",
        "can_see_people": may(request, Right.SEE_PEOPLE),
    }  # fmt: skip
    return render(request, "pages/portfolio/longer.html", context)


@needs(Right.CHANGE_PORTFOLIO)
@require_POST
def change(request: HttpRequest) -> HttpResponseBase:
    """Save what was filled in, or try it on past contacts without saving it."""
    assert request.user.is_authenticated
    form = PolicyForm(request.POST, currency=staff.currency())
    if not form.is_valid():
        return render(request, "pages/portfolio/page.html", _context(request, form), status=400)
    try:
        policy = form.policy(selectors.policy())
        if request.POST.get("do") == "save":
            services.change(policy, by=request.user.email, why=form.cleaned_data["why"])
            messages.success(request, _("Saved. The model reads it when it runs next."))
            return redirect(reverse("portfolio") + "#policy")
        tried = services.simulate(policy, by=request.user.email)
    except NotFound:
        raise
    except RapportError as error:
        wrong = f"{sentence(error.message)} {error.hint}"
        return render(request, "pages/portfolio/page.html", _context(request, form, wrong), status=400)
    return redirect(f"{reverse('portfolio')}?tried={tried.id}#tried")


@needs(Right.CHANGE_PORTFOLIO)
@require_POST
def switch(request: HttpRequest) -> HttpResponseBase:
    assert request.user.is_authenticated
    by, why = request.user.email, request.POST.get("why", "")[:500]
    try:
        if request.POST.get("do") == "on":
            services.switch_on(by=by, why=why)
            messages.success(request, _("On. Turns are taken by the policy from now on."))
        else:
            services.switch_off(by=by, why=why)
            messages.success(request, _("Off. Turns are taken as people come."))
    except RapportError as error:
        messages.error(request, f"{sentence(error.message)} {error.hint}")
    return redirect(reverse("portfolio") + "#policy")


urlpatterns = [
    path("portfolio/", portfolio, name="portfolio"),
    path("portfolio/people/", members, name="portfolio_people"),
    path("portfolio/longer/<int:number>/", longer, name="portfolio_longer"),
    path("portfolio/change/", change, name="portfolio_change"),
    path("portfolio/switch/", switch, name="portfolio_switch"),
]
