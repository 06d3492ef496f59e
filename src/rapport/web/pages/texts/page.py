"""What people wrote: newest first, with what models read in it, why, and one key to say otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.insights import selectors as insights
from rapport.insights import services
from rapport.kit.errors import Invalid, NotFound
from rapport.listening import selectors as listening
from rapport.staff.rules import Right
from rapport.web import days
from rapport.web.access import may, needs
from rapport.web.components import spokenwords
from rapport.web.layout import Entry

entries = [
    Entry("texts", gettext_lazy("What they write"), "texts", "know", 31, Right.SEE_INSIGHTS, also=("text",))
]

FIRST = "sentiment"  # looked at where nothing else is asked for
FIELDS = ("name", "label", "venue", "from", "to", "aspect", "order", "corrected", "said", "follow")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, as the form shows it again."""

    name: str
    label: str
    venue: str
    first: str
    last: str
    order: str  # unsure, or empty for the newest first
    corrected: bool
    said: str | None
    follow: str = ""


@needs(Right.SEE_INSIGHTS)
def listing(request: HttpRequest) -> HttpResponseBase:
    asked = _asked(request.GET)
    page = insights.texts_page(_wanted(asked), before=request.GET.get("before", ""))
    labels = insights.labels_offered()
    looked_at = asked.name or FIRST
    context: dict[str, Any] = {
        "asked": asked,
        "texts": [spokenwords.shown(text, looked_at, labels) for text in page.texts],
        "names": _names(asked.name),
        "labels": [(key, spokenwords.label(asked.name, key)) for key in _labels(asked, labels)],
        "looked_at": spokenwords.title(looked_at),
        "finding": _finding(asked),
        "next_url": _with(request.GET, before=page.next) if page.next else "",
        "first_url": _with(request.GET, before="") if request.GET.get("before") else "",
        "is_filtered": any(request.GET.get(field) for field in FIELDS),
        "can_correct": may(request, Right.TEACH_MODELS),
        "sees_people": may(request, Right.SEE_PEOPLE),
    }
    template = "pages/texts/list.html" if getattr(request, "htmx", False) else "pages/texts/page.html"
    return render(request, template, context)


@needs(Right.SEE_INSIGHTS)
def text(request: HttpRequest, seq: int) -> HttpResponseBase:
    """One text by itself: where another page's words lead."""
    return render(request, "pages/texts/one.html", _one(request, seq, request.GET.get("name", "") or FIRST))


@needs(Right.TEACH_MODELS)
@require_POST
def correct(request: HttpRequest, seq: int) -> HttpResponseBase:
    """Write down what a member of staff reads in a text, or take that back."""
    assert request.user.is_authenticated
    name, _bar, label = request.POST.get("to", "").partition("|")
    if not name:
        raise Invalid(_("nothing was chosen"), _("Choose what the text is instead."))
    if label:
        services.correct(seq, name, label, request.user.email)
    else:
        services.uncorrect(seq, name)
    looked_at = request.POST.get("looked_at", "") or name
    if getattr(request, "htmx", False):
        return render(request, "components/spoken.html", _one(request, seq, looked_at))
    said = (
        _("Written down; it stands above what models say.") if label else _("The model's word stands again.")
    )
    messages.success(request, said)
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("text", args=[seq])
    return redirect(back)


def _one(request: HttpRequest, seq: int, looked_at: str) -> dict[str, Any]:
    found = insights.one_text(seq)
    if found is None:
        raise Http404
    return {
        "text": spokenwords.shown(found, looked_at, insights.labels_offered()),
        "can_correct": may(request, Right.TEACH_MODELS),
        "sees_people": may(request, Right.SEE_PEOPLE),
    }


def _asked(given: QueryDict) -> Asked:
    aspect = _one_line(given.get("aspect", ""))
    return Asked(
        name=f"aspect:{aspect}" if aspect else _one_line(given.get("name", "")),
        label=_one_line(given.get("label", "")),
        venue=_one_line(given.get("venue", "")),
        first=given.get("from", ""),
        last=given.get("to", ""),
        order="unsure" if given.get("order") == "unsure" else "",
        corrected=given.get("corrected") == "1",
        said=_one_line(given.get("said", "")) if "said" in given else None,
        follow=_one_line(given.get("follow", "")),
    )


def _one_line(text: str) -> str:
    """What was asked for; NUL, which no store holds and PostgreSQL refuses to look for, as what nothing is called."""
    return text.strip().replace("\0", "\ufffd")


def _wanted(asked: Asked) -> insights.Wanted:
    first, last = days.read(asked.first), days.read(asked.last)
    is_unsure_first = asked.order == "unsure"
    return insights.Wanted(
        name=asked.name or (FIRST if is_unsure_first or asked.label else ""),
        label=asked.label,
        venue=asked.venue or None,
        since=days.begins(first) if first else None,
        until=days.ends(last) if last else None,
        is_corrected=asked.corrected,
        said=asked.said if asked.corrected else None,
        is_unsure_first=is_unsure_first,
        follow=asked.follow,
    )


def _names(chosen: str) -> list[tuple[str, str]]:
    found = [gives.name for gives in insights.given_names() if gives.name != "aspect"]
    found += [chosen] if chosen and chosen not in found else []
    return [(name, spokenwords.title(name)) for name in found]


def _labels(asked: Asked, labels: dict[str, Any]) -> list[str]:
    offered = list(labels.get((asked.name or FIRST).partition(":")[0], ()))
    return offered + ([asked.label] if asked.label and asked.label not in offered else [])


def _finding(asked: Asked) -> str:
    """What the list holds, in one line."""
    name = asked.name or FIRST
    if asked.corrected and asked.said is not None:
        return _("%(name)s: staff says “%(label)s” where the model had said “%(said)s”.") % {
            "name": spokenwords.title(name),
            "label": spokenwords.label(name, asked.label),
            "said": spokenwords.label(name, asked.said),
        }
    if asked.corrected:
        return _("Texts that staff has corrected or confirmed.")
    if asked.follow:
        return _("Texts that name “%(what)s”.") % {"what": _followed(asked.follow)}
    if asked.order:
        return _("Those first of which the model is least sure: these teach it most.")
    return ""


def _followed(key: str) -> str:
    try:
        return listening.follow_row(key).title
    except NotFound:
        return key


def _with(given: QueryDict, **changed: str) -> str:
    query = {k: v for k, v in {**given.dict(), **changed}.items() if v or k == "said"}
    return f"{reverse('texts')}?{urlencode(query)}" if query else reverse("texts")


urlpatterns = [
    path("texts/", listing, name="texts"),
    path("texts/<int:seq>/", text, name="text"),
    path("texts/<int:seq>/correct/", correct, name="text_correct"),
]
