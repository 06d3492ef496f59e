"""API tokens: who may call, what each opens, when it was last used; make one, revoke one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.http import require_POST

from rapport.kit import clock
from rapport.kit.errors import Denied, Invalid
from rapport.staff import rules, selectors, services
from rapport.staff.models import Staff, Token
from rapport.staff.rules import Right, Scope
from rapport.web.access import for_all_staff
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry

entries = [Entry("tokens", gettext_lazy("API tokens"), "key", "setup", 55, Right.SEE_PEOPLE)]
actions = [Action("tokens", gettext_lazy("Make an API token"), Right.SEE_PEOPLE, "#new")]

SCOPES: dict[Scope, Any] = {
    Scope.PEOPLE_READ: gettext_lazy("read people, for a purpose"),
    Scope.CONSENT_READ: gettext_lazy("ask what is allowed"),
    Scope.CONSENT_WRITE: gettext_lazy("record consent, stop sending"),
    Scope.EVENTS_WRITE: gettext_lazy("record events"),
    Scope.REQUESTS_READ: gettext_lazy("see what people ask about their data"),
    Scope.REQUESTS_WRITE: gettext_lazy("open such requests"),
    Scope.SURVEYS_READ: gettext_lazy("read what surveys came to"),
    Scope.CONVERSATIONS_READ: gettext_lazy("read conversations"),
    Scope.CONVERSATIONS_WRITE: gettext_lazy("answer conversations and settle them"),
    Scope.KNOWLEDGE_READ: gettext_lazy("ask what is known"),
    Scope.PAUSE_WRITE: gettext_lazy("pause everything that leaves, and let it go on"),
    Scope.HEALTH_READ: gettext_lazy("see whether all is well"),
}


class TokenForm(forms.Form):
    """What a new token is for, and what it opens."""

    name = forms.CharField(
        label=gettext_lazy("What uses it"),
        max_length=120,
        help_text=gettext_lazy("For example “web shop”. It stands in the log beside what was done with it."),
    )
    machine = forms.TypedChoiceField(
        label=gettext_lazy("For"),
        coerce=lambda value: value == "1",
        choices=[("1", gettext_lazy("a machine")), ("0", gettext_lazy("myself, with what my role may do"))],
        widget=forms.RadioSelect,
        initial="1",
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("It may"),
        choices=[(scope.value, label) for scope, label in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one thing that it may do.")},
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("It ends"),
        coerce=lambda value: int(value) if value else None,
        empty_value=None,
        required=False,
        choices=[
            *(
                (str(n), ngettext_lazy("in %(n)d day", "in %(n)d days", n) % {"n": n})
                for n in rules.TOKEN_DAYS
            ),
            ("", gettext_lazy("when somebody revokes it")),
        ],
        initial="365",
    )
    per_minute = forms.IntegerField(
        label=gettext_lazy("Requests a minute, at most"),
        min_value=1,
        max_value=rules.TOKEN_PER_MINUTE_MAX,
        initial=rules.TOKEN_PER_MINUTE,
    )

    def __init__(self, *given: Any, staff: Staff, **named: Any) -> None:
        super().__init__(*given, **named)
        choices: Any = self.fields["scopes"]
        choices.choices = [(s.value, SCOPES[s]) for s in Scope if staff.may(rules.SCOPE_RIGHTS[s])]
        if not staff.may(Right.MANAGE_KEYS):
            machine: Any = self.fields["machine"]
            machine.choices = [choice for choice in machine.choices if choice[0] == "0"]
            self.initial["machine"] = "0"


@for_all_staff
def tokens(request: HttpRequest) -> HttpResponseBase:
    """Owners see every token, others their own."""
    assert request.user.is_authenticated
    form = TokenForm(request.POST or None, staff=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            made, text = services.create_token(request.user, **form.cleaned_data)
        except (Invalid, Denied) as error:
            form.add_error(None, f"{sentence(error.message)} {error.hint}")
        else:
            return _list(request, TokenForm(staff=request.user), made=made, text=text)
    return _list(request, form)


@for_all_staff
@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponseBase:
    assert request.user.is_authenticated
    services.revoke_token(request.user, token_id)
    messages.success(request, _("Revoked. It opens nothing any more."))
    return redirect("tokens")


def _list(request: HttpRequest, form: TokenForm, **shown: Any) -> HttpResponseBase:
    assert request.user.is_authenticated
    everyones = request.user.may(Right.MANAGE_KEYS)
    found = selectors.tokens(None if everyones else request.user)
    context = {
        "form": form,
        "rows": [(token, [SCOPES[s] for s in Scope if s in token.scopes], *_state(token)) for token in found],
        "everyones": everyones,
        "may_make": bool(form.fields["scopes"].choices),  # type: ignore[attr-defined]
        **shown,
    }
    return render(request, "pages/tokens/page.html", context, status=400 if form.errors else 200)


def _state(token: Token) -> tuple[Any, str, bool]:
    """What a token is, in a word with its tone, and whether it can be revoked."""
    if token.revoked_at:
        return _("revoked"), "", False
    if token.expires_at and token.expires_at <= clock.now():
        return _("ended"), "", True
    if token.last_used_at is None:
        return _("never used"), "warn", True
    return _("in use"), "accent", True


urlpatterns = [
    path("tokens/", tokens, name="tokens"),
    path("tokens/<int:token_id>/", revoke, name="token_revoke"),
]
