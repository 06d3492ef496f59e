"""Chat on a site: switch it on, say when somebody is there, greet, and see what to paste."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.kit.errors import Invalid
from rapport.onsite import selectors as onsite
from rapport.onsite.chat import rules, selectors, services
from rapport.staff.rules import Right
from rapport.web.access import demand, may, needs
from rapport.web.errors import sentence

NAMES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "it": "Italiano",
    "pt": "Português",
    "nl": "Nederlands",
    "ko": "한국어",
    "ja": "日本語",
}


class DeskForm(forms.Form):
    is_on = forms.BooleanField(
        label=gettext_lazy("Show the chat on pages that carry its script"), required=False
    )
    within_min = forms.IntegerField(
        label=gettext_lazy("Where nobody is there, promise an answer within"),
        help_text=gettext_lazy("Minutes of your opening hours."),
        min_value=rules.WITHIN_MIN[0],
        max_value=rules.WITHIN_MIN[1],
    )
    zone = forms.ChoiceField(
        label=gettext_lazy("Time zone of the hours"),
        choices=lambda: [(one, one.replace("_", " ")) for one in sorted(zoneinfo.available_timezones())],
    )

    def __init__(self, desk: selectors.DeskView, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"is_on": desk.is_on, "within_min": desk.within_min, "zone": desk.zone}
        super().__init__(*args, **kwargs)
        for day in range(rules.DAYS):
            self.fields[f"day{day}"] = forms.CharField(
                label=WEEKDAYS[day],
                required=False,
                max_length=80,
                initial=rules.written(desk.hours, day),
                widget=forms.TextInput(attrs={"placeholder": "09:00-12:30, 13:30-18:00"}),
            )
        for language in rules.languages():
            self.fields[f"greeting_{language}"] = forms.CharField(
                label=NAMES[language],
                required=False,
                max_length=rules.WORD_CHARS_MAX,
                initial=desk.greeting.get(language, ""),
                widget=forms.TextInput(
                    attrs={
                        "placeholder": rules.shipped()[language]["greeting"],
                        "lang": language,
                        "dir": "auto",
                    }
                ),
            )

    def days(self) -> list[forms.BoundField]:
        """The hours, from Monday."""
        return [self[f"day{day}"] for day in range(rules.DAYS)]

    def greetings(self) -> list[forms.BoundField]:
        """The greeting in every language of the window."""
        return [self[f"greeting_{language}"] for language in rules.languages()]

    def values(self) -> dict[str, Any]:
        """What the domain's verb takes."""
        given = self.cleaned_data
        return {
            "is_on": given["is_on"],
            "within_min": given["within_min"],
            "zone": given["zone"],
            "hours": {str(day): given[f"day{day}"] for day in range(rules.DAYS)},
            "greeting": {language: given[f"greeting_{language}"] for language in rules.languages()},
        }


@needs(Right.SEE_TRACKING)
def chat(request: HttpRequest, source: str) -> HttpResponseBase:
    found = onsite.site(source)
    desk = selectors.desk(source)
    form = DeskForm(desk, request.POST or None)
    if request.method == "POST":
        demand(request, Right.CHANGE_TRACKING)
        if form.is_valid() and _saved(request, form, source):
            return redirect("tracking_chat", source)
    context = {
        "site": found,
        "here": "tracking_chat",
        "others": [one for one in onsite.sites() if one.source != source],
        "can_change": may(request, Right.CHANGE_TRACKING),
        "desk": desk,
        "standing": selectors.standing(desk),
        "form": form,
        "web": f"{request.scheme}://{request.get_host()}",
        "languages": ", ".join(NAMES[one] for one in rules.languages()),
    }
    return render(request, "pages/tracking_chat/page.html", context, status=400 if form.errors else 200)


def _saved(request: HttpRequest, form: DeskForm, source: str) -> bool:
    assert request.user.is_authenticated
    try:
        services.set_up(source, by=request.user.email, **form.values())
    except Invalid as error:
        form.add_error(None, f"{sentence(error.message)} {error.hint}")
        return False
    messages.success(request, _("Saved. It holds for every window that is opened from now on."))
    return True


urlpatterns = [path("tracking/<str:source>/chat/", chat, name="tracking_chat")]
