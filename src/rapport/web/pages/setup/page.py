"""First run: who owns this installation, and for which organisation."""

from __future__ import annotations

import zoneinfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.staff import selectors, services
from rapport.web.access import public
from rapport.web.errors import sentence

CURRENCIES = (
    "EUR",
    "USD",
    "GBP",
    "CHF",
    "JPY",
    "KRW",
    "CNY",
    "INR",
    "BRL",
    "MXN",
    "CAD",
    "AUD",
    "SEK",
    "NOK",
    "DKK",
    "PLN",
)


class SetupForm(forms.Form):
    """Everything that cannot be guessed, and nothing else."""

    organisation = forms.CharField(
        label=gettext_lazy("Organisation"),
        max_length=120,
        help_text=gettext_lazy("The name that your customers know."),
    )
    name = forms.CharField(label=gettext_lazy("Your name"), max_length=120)
    email = forms.EmailField(
        label=gettext_lazy("Your e-mail"),
        help_text=gettext_lazy("You log in with it."),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 10 characters. Several unrelated words make a good password."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    timezone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), widget=forms.Select(attrs={"data-guess": "zone"})
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        max_length=3,
        min_length=3,
        help_text=gettext_lazy("Three letters, such as EUR. Orders may have others."),
        widget=forms.TextInput(attrs={"list": "currencies", "autocomplete": "off"}),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        zones = sorted(zoneinfo.available_timezones())
        self.fields["timezone"].choices = [(z, z.replace("_", " ")) for z in zones]  # type: ignore[attr-defined]


@public
@never_cache
@sensitive_post_parameters("password")
def setup(request: HttpRequest, token: str) -> HttpResponseBase:
    if selectors.is_set_up():
        return redirect("login")
    link = selectors.usable_link(token)
    if link is None or link.staff is not None:
        raise NotFound(
            _("this set-up link has expired or was used before"),
            _("Start “rapport serve” again: it prints a new one."),
        )
    first = {"language": translation.get_language(), "timezone": "UTC", "currency": "EUR"}
    form = SetupForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            owner = services.set_up(token, **form.cleaned_data)
        except (Invalid, Conflict) as error:
            form.add_error(None, f"{sentence(error.message)} {error.hint}")
        else:
            login(request, owner, backend="django.contrib.auth.backends.ModelBackend")
            with translation.override(owner.language):
                messages.success(
                    request, _("Set up. Bring in your first customers and orders under Sources.")
                )
            return redirect("home")
    status = 400 if form.errors else 200
    context = {"form": form, "currencies": CURRENCIES}
    return render(request, "pages/setup/page.html", context, status=status)


urlpatterns = [path("setup/<str:token>/", setup, name="setup")]
