"""Purposes: what data may be used for, on which ground, over which channels, in which words."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.consent import rules, services
from rapport.consent import selectors as consent
from rapport.kit.errors import Conflict, Invalid
from rapport.staff.rules import Right
from rapport.web.access import demand, may, needs
from rapport.web.components import consenting, ledger
from rapport.web.errors import sentence

LANGUAGES = ("en", "de", "fr", "es", "ko")


class PurposeForm(forms.Form):
    """What everybody may change of a purpose."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("As customers read it.")
    )
    meaning = forms.CharField(
        label=gettext_lazy("What it means"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("One sentence that customers understand."),
    )
    channels = forms.MultipleChoiceField(
        label=gettext_lazy("Channels"),
        required=False,
        choices=[(c, consenting.CHANNELS.get(c, c)) for c in services.CHANNELS],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None, where the purpose reaches nobody."),
    )
    expires_days = forms.IntegerField(
        label=gettext_lazy("A consent holds, in days"),
        required=False,
        min_value=1,
        max_value=36_500,
        help_text=gettext_lazy("Empty: until it is taken back. Consents given before keep their own end."),
    )


class NewPurposeForm(PurposeForm):
    """A purpose at its beginning: its key and ground stay as they are."""

    key = forms.RegexField(
        r"^[a-z][a-z0-9_]{1,31}$",
        label=gettext_lazy("Key"),
        help_text=gettext_lazy("In files and in the API: small letters, digits, underscores. It stays."),
    )
    legal_basis = forms.ChoiceField(
        label=gettext_lazy("Legal ground"),
        choices=[(b, ledger.BASES[b]) for b in rules.BASES],
        help_text=gettext_lazy(
            "It stays: who was asked for consent cannot be told later that none was needed."
        ),
    )
    field_order = ("key", "name", "meaning", "legal_basis", "channels", "expires_days")


class EditPurposeForm(PurposeForm):
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False)


class WordingForm(forms.Form):
    """A new version of what people read before they answer."""

    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=[(c, c) for c in LANGUAGES])
    version = forms.CharField(
        label=gettext_lazy("Version"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("Empty: the next number."),
    )
    text = forms.CharField(label=gettext_lazy("Words"), widget=forms.Textarea(attrs={"rows": 4}))


@needs(Right.SEE_PRIVACY)
def listing(request: HttpRequest) -> HttpResponseBase:
    context = {
        "tab": "purposes",
        "purposes": [_shown(purpose) for purpose in consent.purposes()],
        "topics": consent.topics(active_only=False),
        "can_change": may(request, Right.CHANGE_PRIVACY),
    }
    return render(request, "pages/consent/purposes.html", context)


def _shown(purpose: consent.PurposeView) -> dict[str, Any]:
    return {
        "purpose": purpose,
        "name": consenting.name(purpose),
        "meaning": consenting.meaning(purpose),
        "basis": ledger.basis(purpose.legal_basis),
        "channels": ", ".join(consenting.channel(c) for c in purpose.channels),
        "n_wordings": len(consent.wordings(purpose.key)),
    }


@needs(Right.CHANGE_PRIVACY)
def new(request: HttpRequest) -> HttpResponseBase:
    form = NewPurposeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            key = services.define_purpose(**form.cleaned_data)
        except (Invalid, Conflict) as error:
            form.add_error(None, f"{sentence(error.message)} {error.hint}")
        else:
            messages.success(request, _("The purpose is there. Add the words that people read."))
            return redirect("consent_purpose", key=key)
    return render(request, "pages/consent/new.html", {"form": form}, status=400 if form.errors else 200)


@needs(Right.SEE_PRIVACY)
def purpose(request: HttpRequest, key: str) -> HttpResponseBase:
    chosen = consent.purpose(key)
    form = EditPurposeForm(request.POST or None, initial=_initial(chosen))
    if request.method == "POST":
        demand(request, Right.CHANGE_PRIVACY)
        if form.is_valid():
            try:
                services.change_purpose(key, **form.cleaned_data)
            except Invalid as error:
                form.add_error(None, f"{sentence(error.message)} {error.hint}")
            else:
                messages.success(request, _("Saved."))
                return redirect("consent_purpose", key=key)
    return _page(request, chosen, form, WordingForm())


@needs(Right.CHANGE_PRIVACY)
@require_POST
def wording(request: HttpRequest, key: str) -> HttpResponseBase:
    assert request.user.is_authenticated
    chosen = consent.purpose(key)
    form = WordingForm(request.POST)
    if form.is_valid():
        try:
            services.add_wording(key, **form.cleaned_data, by=request.user.email)
        except (Invalid, Conflict) as error:
            form.add_error(None, f"{sentence(error.message)} {error.hint}")
        else:
            messages.success(request, _("Kept. Answers from now on name this version."))
            return redirect("consent_purpose", key=key)
    return _page(request, chosen, EditPurposeForm(initial=_initial(chosen)), form)


@needs(Right.CHANGE_PRIVACY)
@require_POST
def topic(request: HttpRequest) -> HttpResponseBase:
    given = {key: request.POST.get(key, "") for key in ("key", "name", "meaning")}
    services.set_topic(
        given["key"], name=given["name"], meaning=given["meaning"], is_active="is_active" in request.POST
    )
    messages.success(request, _("Saved."))
    return redirect("consent_purposes")


def _initial(chosen: consent.PurposeView) -> dict[str, Any]:
    return {
        "name": chosen.name,
        "meaning": chosen.meaning,
        "channels": list(chosen.channels),
        "expires_days": chosen.expires_days,
        "is_active": chosen.is_active,
    }


def _page(
    request: HttpRequest, chosen: consent.PurposeView, form: EditPurposeForm, words: WordingForm
) -> HttpResponseBase:
    context = {
        **_shown(chosen),
        "form": form,
        "wording_form": words,
        "wordings": consent.wordings(chosen.key),
        "can_change": may(request, Right.CHANGE_PRIVACY),
    }
    return render(
        request, "pages/consent/purpose.html", context, status=400 if form.errors or words.errors else 200
    )


urlpatterns = [
    path("privacy/consent/purposes/", listing, name="consent_purposes"),
    path("privacy/consent/topics/", topic, name="consent_topic"),
    path("privacy/consent/purposes/new/", new, name="consent_purpose_new"),
    path("privacy/consent/purposes/<slug:key>/", purpose, name="consent_purpose"),
    path("privacy/consent/purposes/<slug:key>/wording/", wording, name="consent_wording"),
]
