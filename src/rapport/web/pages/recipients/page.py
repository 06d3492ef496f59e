"""Recipients: who outside the firm gets what of whom, for what; and how public authors are kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.kit.errors import Conflict, Invalid
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.staff.rules import Right
from rapport.web.access import demand, may, needs
from rapport.web.components.formats import number
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry

entries = [Entry("recipients", gettext_lazy("Recipients"), "handover", "setup", 35, Right.SEE_PRIVACY)]
actions = [Action("recipients", gettext_lazy("Register a recipient"), Right.CHANGE_PRIVACY, "#new")]

KINDS: dict[str, Any] = {
    "endpoint": gettext_lazy("a service that answers, such as a model"),
    "webhook": gettext_lazy("a system that is told"),
    "mail_house": gettext_lazy("a firm that prints or sends for us"),
}


class RecipientForm(forms.Form):
    """One outside place, what may go there and for what."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, help_text=gettext_lazy("As customers know the firm.")
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("It is"), choices=list(KINDS.items()), widget=forms.RadioSelect
    )
    host = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=260,
        help_text=gettext_lazy(
            "The host alone counts, such as api.example.com. Private networks are refused."
        ),
    )
    purpose = forms.ChoiceField(label=gettext_lazy("Purpose"))
    fields_ = forms.CharField(
        label=gettext_lazy("What may go there"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Names of fields, with blanks or commas between: name, postcode, city."),
    )
    country = forms.CharField(label=gettext_lazy("Country where it is kept"), max_length=64, required=False)
    why = forms.CharField(
        label=gettext_lazy("Why, in a sentence for the customer"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        purpose: Any = self.fields["purpose"]
        purpose.choices = [(p.key, p.name) for p in consent.purposes() if p.is_active]

    def entry(self) -> dict[str, Any]:
        """What is registered."""
        said = dict(self.cleaned_data)
        said["fields"] = said.pop("fields_").replace(",", " ").split()
        return said


@needs(Right.SEE_PRIVACY)
def recipients(request: HttpRequest) -> HttpResponseBase:
    form = RecipientForm(request.POST or None)
    if request.method == "POST":
        demand(request, Right.CHANGE_PRIVACY)
        assert request.user.is_authenticated
        if form.is_valid():
            try:
                services.register_recipient(**form.entry(), by=request.user.email)
            except (Invalid, Conflict) as error:
                form.add_error(None, f"{sentence(error.message)} {error.hint}")
            else:
                messages.success(request, _("Registered. Customers see it on their page from now on."))
                return redirect("recipients")
    purposes = {p.key: p.name for p in consent.purposes()}
    context = {
        "form": form,
        "rows": [
            (r, KINDS.get(r.kind, r.kind), purposes.get(r.purpose, r.purpose)) for r in consent.recipients()
        ],
        "ended": [(r, purposes.get(r.purpose, r.purpose)) for r in consent.recipients(ended=True)],
        "can_change": may(request, Right.CHANGE_PRIVACY),
    }
    return render(request, "pages/recipients/page.html", context, status=400 if form.errors else 200)


@needs(Right.CHANGE_PRIVACY)
@require_POST
def end(request: HttpRequest, recipient_id: int) -> HttpResponseBase:
    services.end_recipient(recipient_id)
    messages.success(request, _("Nothing more goes there. The entry stays on record."))
    return redirect("recipients")


@needs(Right.SEE_PRIVACY)
def authors(request: HttpRequest) -> HttpResponseBase:
    """How long public authors are kept."""
    wrong = ""
    if request.method == "POST":
        demand(request, Right.CHANGE_PRIVACY)
        assert request.user.is_authenticated
        text = request.POST.get("days", "").strip()
        try:
            if not (text.isdecimal() and len(text) < 7):
                raise Invalid(
                    _("“%(text)s” is no number of days") % {"text": text[:20]}, _("Write it like 90.")
                )
            people_services.set_author_terms(int(text), by=request.user.email)
        except Invalid as error:
            wrong = f"{sentence(error.message)} {error.hint}"
        else:
            messages.success(request, _("Set. It is carried out within a day."))
            return redirect("author_terms")
    context = {
        "terms": people.author_terms(),
        "n_authors": number(people.approximate_count("author")),
        "object_url": reverse("customer_authors"),
        "wrong": wrong,
        "can_change": may(request, Right.CHANGE_PRIVACY),
    }
    return render(request, "pages/recipients/authors.html", context, status=400 if wrong else 200)


entries.append(
    Entry("author_terms", gettext_lazy("Public authors"), "authors", "setup", 45, Right.SEE_PRIVACY)
)
urlpatterns = [
    path("privacy/recipients/", recipients, name="recipients"),
    path("privacy/recipients/<int:recipient_id>/end/", end, name="recipient_end"),
    path("privacy/authors/", authors, name="author_terms"),
]
