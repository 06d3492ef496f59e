"""What runs now, asked for every few seconds while something does."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path

from rapport.web.access import for_all_staff


@for_all_staff
def running(request: HttpRequest) -> HttpResponseBase:
    return render(request, "components/running.html")


urlpatterns = [path("running/", running, name="running")]
