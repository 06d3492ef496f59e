"""The public form by which anybody signs up for a purpose, such as a newsletter. It grants nothing by itself."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport.consent import selectors as consent
from rapport.kit import clock, signing
from rapport.kit.errors import Denied, Invalid, NotFound, RapportError, Unavailable
from rapport.messaging import services as messaging
from rapport.web.components import consenting
from rapport.web.customers import customer_page, show

CHANNEL = "email"
FORM = "signup form"  # kind of the form's tokens
OPEN_FOR = dt.timedelta(hours=12)
FASTEST_S = 2  # nobody reads and types within this time
MOST_AN_HOUR = 20  # sign-ups from one network


class SignupForm(forms.Form):
    """An address, and a field that people do not see and programs fill in."""

    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": gettext_lazy("Write your e-mail address."),
            "invalid": gettext_lazy("This is no e-mail address. It looks like name@example.org."),
        },
    )
    website = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"})
    )
    form = forms.CharField(required=False, widget=forms.HiddenInput)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def signup(request: HttpRequest, purpose: str) -> HttpResponseBase:
    """The answer is the same whoever asks, so that nobody learns whose address is known here."""
    known = _purpose(purpose)
    wording = consent.current_wording(known.key, get_language() or "en")
    form = SignupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _is_human(form):
            _may_ask(request)
            messaging.confirm_link(
                f"email:{form.cleaned_data['email'].strip().lower()}",
                known.key,
                CHANNEL,
                shown=request.build_absolute_uri(request.path),
                wording=wording.version if wording else "",
                language=get_language(),
            )
        return redirect(f"{request.path}?{urlencode({'sent': '1', 'lang': get_language()})}")
    context = {
        "title": consenting.name(known),
        "text": wording.text if wording else consenting.meaning(known),
        "form": form,
        "form_token": signing.sign(FORM, str(clock.now_us()), known.key, ttl=OPEN_FOR),
        "is_sent": request.GET.get("sent") == "1",
        "again_url": f"{reverse('customer_signup', args=[known.key])}?{urlencode({'lang': get_language()})}",
    }
    return show(request, "pages/customer_signup/page.html", context, status=400 if form.is_bound else 200)


def _purpose(key: str) -> consent.PurposeView:
    """A purpose that people can sign up for by mail."""
    found = next((p for p in consent.purposes(active_only=True) if p.key == key), None)
    if found is None or not found.needs_consent or CHANNEL not in found.channels:
        raise NotFound(_("there is nothing to sign up for here"), _("Check the address of the page."))
    return found


def _is_human(form: SignupForm) -> bool:
    """Whether the form was read before it was sent. A program is told the same, and nothing is done."""
    if form.cleaned_data["website"]:
        return False
    try:
        shown_us, _purpose_shown = signing.read(FORM, form.cleaned_data["form"])
    except Denied:
        raise Invalid(_("this page was open too long"), _("Load it again and send it once more.")) from None
    except RapportError:
        return False
    return clock.now_us() - int(shown_us) >= FASTEST_S * 1_000_000


def _may_ask(request: HttpRequest) -> None:
    """Refuse a network that signs up one address after another."""
    network = request.META.get("REMOTE_ADDR", "")
    if not messaging.may_ask("signup", network, most=MOST_AN_HOUR, within=dt.timedelta(hours=1)):
        raise Unavailable(
            _("too many addresses were signed up from here"), _("Try again in an hour."), retry_after_s=3600
        )


urlpatterns = [path("signup/<slug:purpose>", signup, name="customer_signup")]
