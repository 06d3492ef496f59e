"""Objecting by handle: for those who write in public and whom we know by nothing else."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from rapport.consent import links
from rapport.people import services
from rapport.web.customers import customer_page, show

NETWORKS = ("mastodon", "bluesky", "reddit", "x", "youtube", "instagram", "facebook", "tiktok", "forum")


class HandleForm(forms.Form):
    """Which name on which network."""

    network = forms.CharField(
        label=gettext_lazy("Network or site"),
        max_length=32,
        widget=forms.TextInput(attrs={"list": "networks", "autocapitalize": "none"}),
        error_messages={"required": gettext_lazy("Write the network or site on which you publish.")},
    )
    handle = forms.CharField(
        label=gettext_lazy("Your public name there"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "username"}),
        help_text=gettext_lazy("As others see it, for example @ana@example.social."),
        error_messages={"required": gettext_lazy("Write the name under which you publish.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def objecting(request: HttpRequest) -> HttpResponseBase:
    """Anybody may object for any handle: it only makes us forget what stands in public anyway."""
    form = HandleForm(request.POST or None, initial={"network": request.GET.get("network", "")})
    context = {
        "title": _("You write in public, and want us not to keep it"),
        "form": form,
        "networks": NETWORKS,
        "link": links.object_url(),
    }
    if request.method == "POST" and form.is_valid():
        services.object_author(form.cleaned_data["network"], form.cleaned_data["handle"])
        context |= {"done": True, "handle": form.cleaned_data["handle"], "title": _("Noted")}
    status = 400 if form.is_bound and form.errors else 200
    return show(request, "pages/customer_authors/page.html", context, status=status)


urlpatterns = [path("object", objecting, name="customer_authors")]
