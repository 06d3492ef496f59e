"""Every address: the probes, then what each page's folder offers."""

from __future__ import annotations

from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from rapport.web import discovery, probes
from rapport.web.access import public
from rapport.web.api import urls as api

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", probes.livez, name="livez"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", probes.metrics, name="metrics"),
    path("favicon.ico", public(RedirectView.as_view(url=static("mark.svg"), permanent=True)), name="favicon"),
    path("language", public(set_language), name="set_language"),
    *api.urlpatterns,
    *(pattern for module in discovery.page_modules() for pattern in module.urlpatterns),
]

handler400 = "rapport.web.errors.bad_request"
handler403 = "rapport.web.errors.denied"
handler404 = "rapport.web.customers.not_found"
handler500 = "rapport.web.errors.failed"
