"""Probable identities: two people who may be one, side by side, laid before somebody who decides."""

from __future__ import annotations

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

from rapport.kit.errors import Invalid, NotFound
from rapport.people import selectors as people
from rapport.people import services
from rapport.people.selectors.proposals import COUNT_MAX
from rapport.staff.rules import Right
from rapport.web import jobs
from rapport.web.access import may, needs
from rapport.web.components import formats, words
from rapport.web.layout import Action

actions = [Action("proposals", gettext_lazy("Probable identities"), Right.SEE_PEOPLE)]

NEXT_SHOWN = 5
LAST = "identity_decision"  # in the session: the pair decided last, to take it back
BAR_FULL = 12.0  # weight at which a bar is full: odds 4,096 times as high


@dataclass(frozen=True, slots=True)
class Shown:
    """One comparison as the page shows it."""

    label: str
    left: str
    right: str
    level: str
    speaks: str
    factor: str
    bar_x: str  # of the bar, in units of weight
    bar_width: str
    tone: str


@needs(Right.SEE_PEOPLE)
def listing(request: HttpRequest, edge_id: int | None = None) -> HttpResponseBase:
    after = request.GET.get("after", "")
    if edge_id is not None:
        pairs = [people.proposal(edge_id)]
        pairs += people.proposals(after=pairs[0].cursor, limit=NEXT_SHOWN)
    else:
        pairs = people.proposals(after=after, limit=NEXT_SHOWN + 1)
    n = people.n_proposals()
    pair = pairs[0] if pairs else None
    lines = [_shown(line) for line in people.side_by_side(pair)] if pair else []
    context = {
        "n": n,
        "count": _count(n),
        "pair": pair,
        "because": words.evidence(pair.edge.evidence) if pair else "",
        "sure": _sure(pair.edge.confidence) if pair else "",
        "is_counted": bool(pair and pair.edge.weights),
        "lines": lines,
        "coming": [(p, _sure(p.edge.confidence)) for p in pairs[1:]],
        "skip_url": f"{reverse('proposals')}?{urlencode({'after': pair.cursor})}" if pair else "",
        "after": after,
        "is_skipped": bool(after and n and not pair),
        "last": _last(request),
        "policy": (policy := services.linking_policy()),
        "propose_percent": f"{policy.propose_from * 100:g}",
        "accept_percent": "" if policy.accept_from is None else f"{policy.accept_from * 100:g}",
        "run": people.last_linking_run(),
        "can_change": may(request, Right.CHANGE_PEOPLE),
    }
    return render(request, "pages/proposals/page.html", context)


def _sure(confidence: float) -> str:
    """A probability; no model is wholly certain, however the figure rounds."""
    if confidence > 0.995:
        return _("over %(percent)s") % {"percent": formats.percent(0.99)}
    return formats.percent(confidence)


def _count(n: int) -> str:
    if n >= COUNT_MAX:
        return _("more than %(n)s pairs wait") % {"n": formats.number(COUNT_MAX - 1)}
    return ngettext("%(n)s pair waits", "%(n)s pairs wait", n) % {"n": formats.number(n)}


def _shown(line: people.Line) -> Shown:
    label = str(words.LIKENESS.get(line.name, words.plain(line.name)))
    if line.weight is None:
        return Shown(label, line.left, line.right, "", "", "", "0", "0", "")
    weight = 0.0 if line.weight.level == "missing" else line.weight.weight
    length = min(abs(weight), BAR_FULL)
    odds = formats.number(2 ** abs(weight), 0 if abs(weight) >= 3 else 1)
    return Shown(
        label,
        line.left,
        line.right,
        str(words.LEVELS.get(line.weight.level, line.weight.level)),
        "" if line.weight.level == "missing" else words.speaks(weight),
        "" if abs(weight) < 0.5 else f"× {odds}" if weight > 0 else f"÷ {odds}",
        f"{-length if weight < 0 else 0:.2f}",
        f"{length:.2f}",
        "for" if weight > 0 else "against",
    )


def _last(request: HttpRequest) -> dict[str, Any] | None:
    """The pair that this reader decided last, if that can still be taken back."""
    last: dict[str, Any] | None = request.session.get(LAST)
    return last


@needs(Right.CHANGE_PEOPLE)
@require_POST
def decide(request: HttpRequest, edge_id: int) -> HttpResponseBase:
    assert request.user.is_authenticated
    decision = request.POST.get("do")
    if decision not in {"accept", "reject"}:
        raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    try:
        pair = people.proposal(edge_id)
        names = f"{pair.a.display_name} / {pair.b.display_name}"
    except NotFound:
        names = ""  # the service says what has become of it
    if decision == "accept":
        services.accept(edge_id, request.user.email)
        said = _("%(names)s: one person now. No consent flows along a probable identity.")
    else:
        services.reject(edge_id, request.user.email)
        said = _("%(names)s: two people, and not proposed again.")
    request.session[LAST] = {"edge": edge_id, "names": names, "did": decision}
    messages.success(request, said % {"names": names})
    after = request.POST.get("after", "")
    return redirect(reverse("proposals") + (f"?{urlencode({'after': after})}" if after else ""))


@needs(Right.CHANGE_PEOPLE)
@require_POST
def undo(request: HttpRequest) -> HttpResponseBase:
    """Take the last decision back and show that pair again."""
    assert request.user.is_authenticated
    last = request.session.pop(LAST, None)
    if last is None:
        raise Invalid(_("there is no decision to take back"), _("A person's page can separate them."))
    services.reopen(last["edge"], request.user.email)
    messages.success(request, _("Taken back: %(names)s wait again.") % {"names": last["names"]})
    return redirect("proposal", edge_id=last["edge"])


@needs(Right.CHANGE_PEOPLE)
@require_POST
def compare(request: HttpRequest) -> HttpResponseBase:
    """Compare everybody with everybody as soon as the worker is free."""
    jobs.propose_identities.enqueue()
    messages.success(request, _("People are compared as soon as the worker is free; pairs appear here."))
    return redirect("proposals")


@needs(Right.CHANGE_PEOPLE)
@require_POST
def set_policy(request: HttpRequest) -> HttpResponseBase:
    """From which probability on pairs are proposed, and from which on they join by themselves."""
    accept_from = _percent(request.POST.get("accept_from", "")) if request.POST.get("accept_from") else None
    services.set_linking_policy(
        propose_from=_percent(request.POST.get("propose_from", "")),
        accept_from=accept_from,
        is_nightly=bool(request.POST.get("is_nightly")),
    )
    if accept_from is None:
        messages.success(request, _("Kept. Every pair waits for somebody to decide."))
    else:
        messages.success(
            request, _("Kept. From the next comparison on, the surest pairs join by themselves.")
        )
    return redirect("proposals")


def _percent(text: str) -> float:
    try:
        return float(text.strip().rstrip("%").replace(",", ".")) / 100
    except ValueError:
        raise Invalid(
            _("%(text)s is no percentage") % {"text": repr(text)}, _("Write a number such as 95.")
        ) from None


@needs(Right.SEE_PEOPLE)
def pair_or_decision(request: HttpRequest, edge_id: int) -> HttpResponseBase:
    """One pair: shown to whoever looks, decided by whoever sends the form and may."""
    return decide(request, edge_id) if request.method == "POST" else listing(request, edge_id)


urlpatterns = [
    path("people/proposals/", listing, name="proposals"),
    path("people/proposals/undo/", undo, name="proposal_undo"),
    path("people/proposals/compare/", compare, name="proposals_compare"),
    path("people/proposals/policy/", set_policy, name="proposals_policy"),
    path("people/proposals/<int:edge_id>/", pair_or_decision, name="proposal"),
]
