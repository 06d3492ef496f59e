"""What each member of staff sets for themselves, and what an owner sets for the organisation."""

from __future__ import annotations

import zoneinfo

from django import forms
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from rapport.kit.errors import Denied, Invalid
from rapport.staff import selectors, services
from rapport.staff.rules import Right
from rapport.web.access import for_all_staff, may
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry

entries = [Entry("settings", gettext_lazy("Settings"), "settings", "setup", 90)]
actions = [Action("settings", gettext_lazy("Change my password"), fragment="#password")]


def _zones() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in sorted(zoneinfo.available_timezones())]


class MineForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=django_settings.LANGUAGES)
    timezone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=_zones)
    has_keys = forms.BooleanField(
        label=gettext_lazy("Single letters on the keyboard do things, such as J, K and E"), required=False
    )


class PasswordForm(forms.Form):
    current = forms.CharField(
        label=gettext_lazy("Current password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=gettext_lazy("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 10 characters. Several unrelated words make a good password."),
    )

    def __init__(self, *args: object, has_password: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not has_password:  # somebody who came by an invitation chooses the first one
            del self.fields["current"]


class OrganisationForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Organisation"), max_length=120)
    currency = forms.CharField(label=gettext_lazy("Currency"), min_length=3, max_length=3)
    timezone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=_zones)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=django_settings.LANGUAGES)


@for_all_staff
@sensitive_post_parameters("current", "new")
def settings(request: HttpRequest) -> HttpResponseBase:
    staff = request.user
    assert staff.is_authenticated
    which = request.POST.get("form")
    firm = selectors.organisation()
    mine = MineForm(
        request.POST if which == "mine" else None,
        initial={key: getattr(staff, key) for key in ("name", "language", "timezone", "has_keys")},
        auto_id="mine_%s",
    )
    password = PasswordForm(
        request.POST if which == "password" else None, has_password=staff.has_usable_password()
    )
    organisation = None
    if firm and may(request, Right.MANAGE_STAFF):
        organisation = OrganisationForm(
            request.POST if which == "organisation" else None,
            initial={key: getattr(firm, key) for key in ("name", "currency", "timezone", "language")},
            auto_id="organisation_%s",
        )
    form = {"mine": mine, "password": password, "organisation": organisation}.get(which or "")
    if form is not None and form.is_valid():
        try:
            if form is mine:
                services.change_settings(staff, **mine.cleaned_data)
            elif form is password:
                services.change_password(
                    staff,
                    current=password.cleaned_data.get("current", ""),
                    new=password.cleaned_data["new"],
                )
                update_session_auth_hash(request, staff)
            else:
                services.change_organisation(staff, **form.cleaned_data)
        except (Invalid, Denied) as error:
            form.add_error(None, f"{sentence(error.message)} {error.hint}")
        else:
            with translation.override(staff.language):
                messages.success(request, _("Saved."))
            return redirect("settings")
    context = {"mine": mine, "password": password, "organisation": organisation}
    return render(request, "pages/settings/page.html", context, status=400 if form and form.errors else 200)


@for_all_staff
@require_POST
def theme(request: HttpRequest) -> HttpResponseBase:
    assert request.user.is_authenticated
    services.change_theme(request.user, request.POST.get("theme", ""))
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    back = request.POST.get("next", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "settings")


urlpatterns = [
    path("settings/", settings, name="settings"),
    path("settings/theme/", theme, name="theme"),
]
