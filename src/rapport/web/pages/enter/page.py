"""A one-time link. Opening it changes nothing, so that a mail scanner cannot use it up; the button does."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from rapport.kit.errors import NotFound
from rapport.staff import selectors, services
from rapport.web.access import public


@public
@never_cache
def enter(request: HttpRequest, token: str) -> HttpResponseBase:
    link = selectors.usable_link(token)
    if link is None:
        raise NotFound(
            _("this link has expired or was used before"),
            _("Ask for a new one, or log in with your e-mail address and password."),
        )
    if link.staff is None:
        return redirect("setup", token=token)
    if request.method != "POST":
        return render(request, "pages/enter/page.html", {"who": link.staff})
    staff = services.redeem(token)
    login(request, staff, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home" if link.staff.has_usable_password() else "settings")


urlpatterns = [path("enter/<str:token>/", enter, name="enter")]
