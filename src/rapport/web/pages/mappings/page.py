"""Saved mappings: which column holds which field, kept under a name."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.events import selectors as events
from rapport.listening import selectors as listening
from rapport.listening import services
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.components import imports


@needs(Right.SEE_SOURCES)
def listing(request: HttpRequest) -> HttpResponseBase:
    context = {
        "tab": "mappings",
        "mappings": [(mapping, imports.kind(mapping.kind)) for mapping in listening.mappings()],
        "can_change": may(request, Right.CHANGE_SOURCES),
        "n_quarantined": sum(events.quarantine_counts().values()),
    }
    return render(request, "pages/mappings/page.html", context)


@needs(Right.CHANGE_SOURCES)
@require_POST
def delete(request: HttpRequest) -> HttpResponseBase:
    name = request.POST.get("name", "")
    services.delete_mapping(name)
    messages.success(request, _("The mapping “%(name)s” is forgotten.") % {"name": name})
    return redirect("mappings")


urlpatterns = [
    path("sources/mappings/", listing, name="mappings"),
    path("sources/mappings/delete/", delete, name="mapping_delete"),
]
