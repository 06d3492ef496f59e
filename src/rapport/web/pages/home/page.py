"""Home: what needs somebody, what changed, where it hurts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy

from rapport.staff.rules import Right
from rapport.web.access import needs
from rapport.web.layout import Entry

entries = [Entry("home", gettext_lazy("Home"), "home", "work", 10, Right.SEE_HOME)]


@needs(Right.SEE_HOME)
def home(request: HttpRequest) -> HttpResponseBase:
    return render(request, "pages/home/page.html", {})


urlpatterns = [path("", home, name="home")]
