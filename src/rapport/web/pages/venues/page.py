"""Rule cards: how one behaves at each venue, and whether a draft does."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.conversations import selectors as conversations
from rapport.kit import seen
from rapport.kit.errors import Invalid
from rapport.kit.seen import Changed
from rapport.messaging import services as messaging
from rapport.staff.rules import Right
from rapport.venues import selectors, services
from rapport.venues.rules import cards
from rapport.web.access import demand, may, needs
from rapport.web.components import ruling
from rapport.web.components.meanwhile import Difference, differences
from rapport.web.errors import sentence
from rapport.web.layout import Entry

entries = [
    Entry(
        "venues",
        gettext_lazy("Rule cards"),
        "venues",
        "reach",
        40,
        Right.SEE_VENUES,
        also=("venue", "venue-change"),
    )
]

TEXT_CHARS_MAX = 40_000


class CardForm(forms.Form):
    """A card, field by field; what does not differ from the published rules is not kept."""

    title = forms.CharField(label=gettext_lazy("Name"), max_length=120, required=False)
    reply_only_when_asked = forms.BooleanField(
        label=gettext_lazy("Answer only when somebody asks"), required=False
    )
    links = forms.ChoiceField(label=gettext_lazy("Links"), choices=list(ruling.LINKS.items()))
    disclosure_as = forms.ChoiceField(
        label=gettext_lazy("How it says who speaks"), choices=list(ruling.DISCLOSURES.items())
    )
    vendor_tag = forms.CharField(
        label=gettext_lazy("Vendor's tag"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Stands first where the venue wants vendors marked; {firm} is our name."),
    )
    must_tag_vendor = forms.BooleanField(
        label=gettext_lazy("The tag is needed as well as the sentence"), required=False
    )
    disclosure = forms.CharField(
        label=gettext_lazy("The sentence, by language"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text=gettext_lazy(
            "One a line, such as “en: I work for {firm}.” Languages that are missing have ours."
        ),
    )
    help_to_promotion = forms.FloatField(
        label=gettext_lazy("Helpful answers for each that promotes"),
        min_value=0,
        max_value=1_000,
        help_text=gettext_lazy("0: no such rule. Where promotion is not allowed at all, it never is."),
    )
    forbids = forms.MultipleChoiceField(
        label=gettext_lazy("Not allowed"),
        choices=list(ruling.FORBIDS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    length_max = forms.IntegerField(
        label=gettext_lazy("Longest text"), min_value=0, help_text=gettext_lazy("0: no limit.")
    )
    length_as = forms.ChoiceField(label=gettext_lazy("Counted as"), choices=list(ruling.LENGTHS.items()))
    languages = forms.CharField(
        label=gettext_lazy("Languages spoken there"),
        required=False,
        help_text=gettext_lazy("Codes with commas between, such as en, de. Empty: any."),
    )
    forms_of_address = forms.CharField(
        label=gettext_lazy("Forms of address"),
        required=False,
        help_text=gettext_lazy("Such as de: du, fr: vous. Empty: any."),
    )
    hours = forms.CharField(
        label=gettext_lazy("Hours"),
        required=False,
        help_text=gettext_lazy("Such as mon-fri 09:00-18:00; sat 10:00-14:00. Empty: always."),
    )
    zone = forms.CharField(label=gettext_lazy("Time zone of the venue"), max_length=64)
    tone = forms.CharField(label=gettext_lazy("Tone"), max_length=300, required=False)
    note = forms.CharField(
        label=gettext_lazy("Note"), widget=forms.Textarea(attrs={"rows": 3}), required=False, max_length=2_000
    )
    source = forms.URLField(
        label=gettext_lazy("Where the rules stand"), required=False, assume_scheme="https"
    )
    read_on = forms.DateField(
        label=gettext_lazy("Read on"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields under what they are about, in the order of a card."""
        return [(str(label), [self[name] for name in names]) for label, names in GROUPS]

    def values(self) -> dict[str, Any]:
        """The fields as a card writes them down; Invalid where a line cannot be read."""
        given = dict(self.cleaned_data)
        day = given.pop("read_on")
        return given | {
            "vendor_tag": given["vendor_tag"] or cards.RuleCard("x").vendor_tag,
            "disclosure": _pairs(given["disclosure"].splitlines()),
            "forms_of_address": _pairs(given["forms_of_address"].split(",")),
            "languages": [code.strip().lower() for code in given["languages"].split(",") if code.strip()],
            "read_on": day.isoformat() if isinstance(day, dt.date) else None,
        }


GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (
        gettext_lazy("What one may do"),
        ("title", "links", "help_to_promotion", "reply_only_when_asked", "forbids"),
    ),
    (
        gettext_lazy("Who speaks"),
        ("disclosure_as", "vendor_tag", "must_tag_vendor", "disclosure"),
    ),
    (
        gettext_lazy("How and when"),
        ("length_max", "length_as", "languages", "forms_of_address", "hours", "zone", "tone"),
    ),
    (gettext_lazy("Where this comes from"), ("source", "read_on", "note")),
)


class FaceForm(forms.Form):
    """Who we are in public."""

    names = forms.CharField(
        label=gettext_lazy("Other names of the firm and its products"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text=gettext_lazy("One a line. Praise of them counts as promotion."),
    )
    domains = forms.CharField(
        label=gettext_lazy("Our own addresses"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text=gettext_lazy("One a line, such as otter.example."),
    )
    handles = forms.CharField(
        label=gettext_lazy("Our own accounts"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text=gettext_lazy("One a line, such as @ottertools."),
    )


def _pairs(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in filter(None, (line.strip() for line in lines)):
        name, colon, value = line.partition(":")
        if not colon or not value.strip():
            raise Invalid(_("“%(line)s” cannot be read") % {"line": line}, _("Write it as language: words."))
        found[name.strip().lower()] = value.strip()
    return found


@needs(Right.SEE_VENUES)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Every card, and who we are in public."""
    ours = selectors.face()
    form = FaceForm(
        request.POST or None,
        initial={name: "\n".join(getattr(ours, name)) for name in ("names", "domains", "handles")},
    )
    can_change = may(request, Right.CHANGE_VENUES)
    if request.method == "POST" and (done := _change_face(request, form)) is not None:
        return done
    silent = {row.name for row in conversations.reception("venue") if row.is_silent}
    context = {
        "cards": [
            (view, ruling.origin(view), ruling.said(view.card), view.venue in silent)
            for view in selectors.all_cards()
        ],
        "face": ours,
        "form": form,
        "can_change": can_change,
    }
    return render(request, "pages/venues/page.html", context, status=400 if form.errors else 200)


def _change_face(request: HttpRequest, form: FaceForm) -> HttpResponseBase | None:
    """Keep who we are in public; None where something is wrong, which then stands in the form with what was typed."""
    assert request.user.is_authenticated
    demand(request, Right.CHANGE_VENUES)
    if not form.is_valid():
        return None
    try:
        services.change_face(
            **{name: form.cleaned_data[name].splitlines() for name in ("names", "domains", "handles")},
            by=request.user.email,
        )
    except Invalid as error:
        form.add_error(None, f"{sentence(error.message)} {error.hint}")
        return None
    messages.success(request, _("Saved."))
    return redirect("venues")


@needs(Right.SEE_VENUES)
def one(request: HttpRequest, venue: str) -> HttpResponseBase:
    """One card, a draft to try on it, and what we did there."""
    view = _view(venue)
    context = {
        "view": view,
        "origin": ruling.origin(view),
        "said": ruling.said(view.card),
        "firm": selectors.face().firm,
        "standing": messaging.standing_at(venue),
        "reception": conversations.reception_of(venue),
        "can_change": may(request, Right.CHANGE_VENUES),
        "own": bool(selectors.own_values(venue)),
    }
    return render(request, "pages/venues/one.html", context)


def _view(venue: str) -> selectors.CardView:
    try:
        return selectors.card(venue)
    except Invalid as error:
        raise Http404(str(error)) from None


@needs(Right.CHANGE_VENUES)
def change(request: HttpRequest, venue: str) -> HttpResponseBase:
    """Write a venue's card, or go back to the published rules."""
    assert request.user.is_authenticated
    view = _view(venue)
    if request.POST.get("do") == "forget":
        services.forget_card(venue)
        messages.success(request, _("The published rules hold again."))
        return redirect("venue", venue)
    form = CardForm(request.POST or None, initial=_initial(view.card))
    wrong = ""
    meanwhile: list[Difference] = []
    if request.method == "POST" and form.is_valid():
        try:
            services.change_card(venue, form.values(), request.user.email, seen=request.POST.get("seen"))
        except Changed as error:
            wrong, view = f"{sentence(error.message)} {error.hint}", _view(venue)
            labels = {name: field.label for name, field in form.fields.items()}
            meanwhile = differences(cards.as_mapping(view.card), form.values(), labels)
        except Invalid as error:
            form.add_error(None, f"{sentence(error.message)} {error.hint}")
        else:
            messages.success(request, _("Saved. It holds for every draft from now on."))
            return redirect("venue", venue)
    context = {
        "view": view,
        "form": form,
        "own": bool(selectors.own_values(venue)),
        "wrong": wrong,
        "meanwhile": meanwhile,
        "seen": request.POST.get("seen", "") if form.errors else seen.mark(cards.as_mapping(view.card)),
    }
    return render(request, "pages/venues/change.html", context, status=400 if form.errors or wrong else 200)


def _initial(card: cards.RuleCard) -> dict[str, Any]:
    values = cards.as_mapping(card)
    return values | {
        "disclosure": "\n".join(f"{language}: {words}" for language, words in card.disclosure.items()),
        "forms_of_address": ", ".join(f"{code}: {form}" for code, form in card.forms_of_address.items()),
        "languages": ", ".join(card.languages),
        "read_on": card.read_on,
    }


@needs(Right.SEE_VENUES)
@require_POST
def new(request: HttpRequest) -> HttpResponseBase:
    """Open the card of a venue by its key."""
    network = request.POST.get("network", "").strip().lower()
    place = request.POST.get("place", "").strip()
    venue = f"{network}:{place}" if place else network
    try:
        cards.checked_venue(venue)
    except Invalid as error:
        messages.error(request, f"{sentence(error.message)} {error.hint}")
        return redirect("venues")
    return redirect("venue-change", venue)


@needs(Right.SEE_VENUES)
@require_POST
def check(request: HttpRequest) -> HttpResponseBase:
    """A draft against its venue's card: ticks and crosses for a composer, or the same as JSON."""
    given = request.POST
    try:
        cards.checked_venue(given.get("venue", ""))
    except Invalid as error:
        raise Http404(str(error)) from None
    text = given.get("text", "")[:TEXT_CHARS_MAX]
    is_public = given.get("is_public", "yes") not in {"", "no", "false", "0"}
    standing = messaging.standing_at(given["venue"]) if is_public else messaging.Standing()
    found = services.check(
        given["venue"],
        text,
        language=given.get("language", "")[:16],
        was_asked=given.get("was_asked", "") not in {"", "no", "false", "0"},
        is_public=is_public,
        helpful=standing.helpful,
        promoting=standing.promoting,
        said_before=standing.said_before,
    )
    card = found.view.card
    checked: dict[str, Any] = {
        "venue": found.view.venue,
        "title": found.view.title,
        "text": found.text,
        "adds": found.text.replace(text.strip(), "", 1).strip() if text.strip() else "",
        "is_forbidden": bool(found.forbidden),
        "lines": [ruling.line(tick) for tick in found.ticks],
        "source": card.source,
        "read_on": card.read_on,
    }
    if "application/json" in request.headers.get("Accept", ""):
        rows = [
            {"rule": line.rule, "title": line.title, "state": line.state, "findings": line.findings}
            for line in checked["lines"]
        ]
        return JsonResponse(checked | {"lines": rows})
    if "HX-Request" in request.headers:
        return render(request, "components/rulecard.html", {"checked": checked})
    return render(request, "pages/venues/tried.html", {"checked": checked, "tried": text})


urlpatterns = [
    path("venues/", listing, name="venues"),
    path("venues/check/", check, name="venue-check"),
    path("venues/new/", new, name="venue-new"),
    path("venues/card/<path:venue>/change/", change, name="venue-change"),
    path("venues/card/<path:venue>/", one, name="venue"),
]
