"""Mail: the server it leaves by, the signature that receivers check, and whether it works."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from rapport.consent import links
from rapport.kit import clock, ids
from rapport.kit.errors import Invalid, NotFound, RapportError
from rapport.messaging import selectors
from rapport.messaging import services as messaging
from rapport.messaging.services import accounts
from rapport.pacing import selectors as pacing
from rapport.pacing import services as pausing
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web.access import demand, may, needs
from rapport.web.components import formats, sending
from rapport.web.errors import sentence
from rapport.web.layout import Action

CHANNEL = "email"

actions = [Action("mail", gettext_lazy("Set up mail"), Right.SEE_MESSAGES)]

LABELS: dict[str, tuple[Any, Any]] = {
    "host": (gettext_lazy("Server"), gettext_lazy("The name your mail provider gives for sending (SMTP).")),
    "port": (gettext_lazy("Port"), ""),
    "security": (gettext_lazy("Encryption"), ""),
    "login_name": (
        gettext_lazy("Log-in name"),
        gettext_lazy("Leave it empty where the server asks for none."),
    ),
    "password": (
        gettext_lazy("Password"),
        gettext_lazy("Kept encrypted. Leave it empty to keep the one there is."),
    ),
    "from_address": (gettext_lazy("From address"), gettext_lazy("What people see, and answer to.")),
    "from_name": (gettext_lazy("From name"), gettext_lazy("Usually the firm's.")),
    "reply_to": (gettext_lazy("Answers go to"), gettext_lazy("Empty: to the from address.")),
    "in_flight": (gettext_lazy("Messages at once"), gettext_lazy("How many connections the server bears.")),
    "per_minute": (gettext_lazy("Messages a minute"), gettext_lazy("0: as many as go.")),
    "timeout_s": (gettext_lazy("Seconds to wait for an answer"), ""),
}
CHOICES = {
    "starttls": gettext_lazy("STARTTLS, usually port 587"),
    "tls": gettext_lazy("TLS from the start, usually port 465"),
    "none": gettext_lazy("None: only for a server on this machine"),
}
MAY_BE_EMPTY = ("login_name", "password", "from_name", "reply_to")
RARE = ("in_flight", "per_minute", "timeout_s")


def _field(field: dataclasses.Field[Any]) -> forms.Field:
    label, text = LABELS.get(field.name, (field.metadata["label"], field.metadata["help"]))
    given: dict[str, Any] = {"label": label, "help_text": text, "required": field.name not in MAY_BE_EMPTY}
    if field.metadata.get("secret"):
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        return forms.CharField(strip=False, widget=widget, **given)
    if "choices" in field.metadata:
        choices = [(key, CHOICES.get(key, text)) for key, text in field.metadata["choices"].items()]
        return forms.ChoiceField(choices=choices, **given)
    if field.type in (int, "int"):
        bounds = {"min_value": field.metadata["low"], "max_value": field.metadata["high"]}
        return forms.IntegerField(**bounds, **given)
    if field.name in {"from_address", "reply_to"}:
        return forms.EmailField(max_length=254, **given)
    return forms.CharField(max_length=253, **given)


def _form(posted: Any, initial: dict[str, Any]) -> forms.Form:
    """A form over the channel's own settings, and the postal address that stands below every message."""
    fields = dataclasses.fields(accounts.channel(CHANNEL).config)
    shown = {f.name: _field(f) for f in fields if not f.metadata.get("made")}
    shown["postal_address"] = forms.CharField(
        label=_("Postal address"),
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "street-address"}),
        help_text=_("Stands below every message. The law wants it there."),
    )
    rare = {name: shown.pop(name) for name in RARE if name in shown}
    kind = type("MailForm", (forms.Form,), {**shown, **rare})
    form: forms.Form = kind(posted, initial=initial)
    return form


@needs(Right.SEE_MESSAGES)
@sensitive_post_parameters("password")
def mail(request: HttpRequest) -> HttpResponseBase:
    account = selectors.account(CHANNEL)
    firm = staff.organisation()
    initial = {
        "port": 587,
        "in_flight": 8,
        "per_minute": 0,
        "timeout_s": 30,
        "from_name": firm.name if firm else "",
        **selectors.settings_of(CHANNEL),
        "postal_address": account.postal_address if account else "",
    }
    form = _form(request.POST if request.POST.get("do") == "save" else None, initial)
    if request.method == "POST":
        demand(request, Right.CHANGE_MESSAGES)
        if answer := _done(request, form):
            return answer
    context = {
        "account": account,
        "form": form,
        "common": [field for field in form if field.name not in RARE],
        "rare": [field for field in form if field.name in RARE],
        "state": sending.account_state(account),
        "trouble": sending.explained(account.trouble) if account and account.trouble else "",
        "n_waiting": selectors.n_waiting(),
        "pause": pacing.pause(),
        "can_change": may(request, Right.CHANGE_MESSAGES),
        "warnings": _warnings(),
        "test": _test(request.GET.get("test", "")),
        **_trust(account is not None, is_checked="check" in request.GET),
    }
    return render(request, "pages/mail/page.html", context, status=400 if form.errors else 200)


def _done(request: HttpRequest, form: forms.Form) -> HttpResponseBase | None:
    """What a button does; None where the form has to be shown again."""
    assert request.user.is_authenticated
    do = request.POST.get("do")
    if do == "save":
        return _saved(request, form)
    if do == "key":
        accounts.make_keys(CHANNEL)
        messages.success(request, _("A new key is made. Publish its record before you send."))
        return redirect(f"{reverse('mail')}#trust")
    if do == "test":
        return redirect(f"{reverse('mail')}?test={_send_test(request)}#test")
    if do == "pause":
        pausing.pause(request.user.email, request.POST.get("why", "").strip())
        messages.success(request, _("Nothing but service messages leaves now."))
        return redirect("mail")
    if do == "resume":
        pausing.resume()
        messages.success(request, _("Messages leave again."))
        return redirect("mail")
    if do == "remove":
        accounts.remove(CHANNEL)
        messages.success(request, _("The mail account is forgotten. Nothing leaves by mail."))
        return redirect("mail")
    raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))


def _saved(request: HttpRequest, form: forms.Form) -> HttpResponseBase | None:
    if not form.is_valid():
        return None
    values = dict(form.cleaned_data)
    postal_address = values.pop("postal_address")
    if not values["password"]:
        del values["password"]  # what is left empty stays
        if not values["login_name"]:
            values["password"] = ""
    try:
        accounts.set_up(CHANNEL, values, postal_address.replace("\r\n", "\n"))
    except Invalid as error:
        form.add_error(None, f"{sentence(error.message)} {error.hint}")
        return None
    messages.success(request, _("Saved. Send a test to yourself to see whether it works."))
    return redirect(f"{reverse('mail')}#test")


def _send_test(request: HttpRequest) -> str:
    assert request.user.is_authenticated
    config = accounts.config(CHANNEL)
    outcome = messaging.send(
        messaging.Outgoing(
            to=f"staff:{request.user.email}",
            purpose="service",
            template="test",
            key=f"test:{ids.uuid7().hex}",
            language=request.user.language,
            context={
                "name": request.user.name or request.user.email,
                "sent_on": formats.when_text(clock.now()),
                "host": config.host,
            },
        )
    )
    return outcome.delivery.hex


def _test(text: str) -> dict[str, Any] | None:
    """How the test fares that somebody just sent."""
    try:
        found = selectors.delivery(uuid.UUID(text)) if text else None
    except (ValueError, NotFound):
        return None
    if found is None or found.template != "test":
        return None
    trouble = selectors.account(CHANNEL)
    return {
        "delivery": found,
        "waits": found.state in {"planned", "sending"},
        "lines": found.transcript.splitlines(),
        "explained": sending.explained(found.answer) if found.state == "failed" else "",
        "trouble": sending.explained(trouble.trouble) if trouble and trouble.trouble else "",
        "said": trouble.trouble if trouble else "",
    }


@needs(Right.SEE_MESSAGES)
def test(request: HttpRequest, delivery: uuid.UUID) -> HttpResponseBase:
    return render(request, "pages/mail/test.html", {"test": _test(delivery.hex)})


def _trust(is_set_up: bool, *, is_checked: bool) -> dict[str, Any]:
    """What to publish, and whether it is."""
    if not is_set_up:
        return {}
    try:
        config = accounts.config(CHANNEL)
    except Invalid as error:  # the key is lost that its secrets were sealed with; the form takes them anew
        return {"records": [], "check_failed": str(error)}
    found: dict[str, Any] = {
        "records": accounts.records(CHANNEL),
        "has_key": bool(config.dkim_key),
        "domain": config.domain,
    }
    if is_checked:
        tones = {"ok": "ok", "warn": "warn", "bad": "danger"}
        try:
            found["findings"] = [(f, tones[f.state]) for f in accounts.findings(CHANNEL)]
        except RapportError as error:
            found["check_failed"] = str(error)
    return found


def _warnings() -> list[tuple[str, str]]:
    """What would make messages worse than they could be."""
    url = links.public_url()
    if urlsplit(url).scheme != "https":
        return [
            (
                _("Links in messages begin with %(url)s") % {"url": url},
                _(
                    "Mail programs offer “unsubscribe” in one click only over https. Set RAPPORT_PUBLIC_URL to"
                    " the address under which customers reach this installation."
                ),
            )
        ]
    return []


urlpatterns = [
    path("mail/", mail, name="mail"),
    path("mail/test/<uuid:delivery>/", test, name="mail_test"),
]
