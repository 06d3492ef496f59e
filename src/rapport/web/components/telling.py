"""The form in which a colleague notes what somebody told them about the use of their data."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.consent import selectors as consent
from rapport.people.selectors import PersonView
from rapport.web.components import consenting, ledger

ORDER = ("email", "phone", "customer", "loyalty")


class ToldForm(forms.Form):
    """Which identifier, for what, which way, and how they said so; allowing only for those who may."""

    identifier = forms.ChoiceField(label=gettext_lazy("Said for"))
    what = forms.ChoiceField(label=gettext_lazy("About"))
    state = forms.ChoiceField(label=gettext_lazy("They"))
    shown = forms.CharField(
        label=gettext_lazy("How they said so"),
        max_length=400,
        help_text=gettext_lazy("The evidence: on the telephone today, by letter of 3 March, at the counter."),
    )

    def __init__(self, who: PersonView, may_grant: bool, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        purposes = [p for p in consent.purposes(active_only=True) if p.can_be_refused]
        about = [
            (f"{p.key}:{channel}", ledger.purpose_and_channel(consenting.name(p), channel))
            for p in purposes
            for channel in (("", *p.channels) if p.channels else ("",))
        ]
        # A purpose that has channels is named with `every channel` where all are meant.
        about = [
            (key, _("%(purpose)s, every channel") % {"purpose": label})
            if key.endswith(":") and any(k.startswith(key) and k != key for k, _l in about)
            else (key, label)
            for key, label in about
        ]
        states = [("withdrawn", _("take it back, or object")), ("denied", _("refuse it"))]
        if may_grant:
            states.append(("granted", _("allow it")))
        fields: Any = self.fields
        # Whoever rings up speaks for their number or address, hardly for a cookie.
        ordered = sorted(
            who.identifiers, key=lambda i: ORDER.index(i.namespace) if i.namespace in ORDER else 9
        )
        fields["identifier"].choices = [(i.text, i.text) for i in ordered]
        fields["what"].choices = about
        fields["state"].choices = states
