"""The way in for customers: type your address, or hold an old link, and get a fresh one by mail."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from rapport.consent import links
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.web import fresh_links
from rapport.web.customers import Holder, customer_page, show


class AddressForm(forms.Form):
    """The address to which the link goes."""

    email = forms.EmailField(
        label=gettext_lazy("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": gettext_lazy("Write your e-mail address."),
            "invalid": gettext_lazy("This is no e-mail address. It looks like name@example.org."),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def door(request: HttpRequest) -> HttpResponseBase:
    """The answer is the same for every address, so that nobody learns who is known here."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        identifier = f"email:{form.cleaned_data['email'].strip().lower()}"
        if _is_known(identifier):
            fresh_links.mail(identifier)
        return redirect(f"{reverse('customer_door')}?{urlencode({'sent': '1'} | _lang(request))}")
    context = {
        "title": _("Your pages"),
        "form": form,
        "is_sent": request.GET.get("sent") == "1",
        "again_url": f"{reverse('customer_door')}?{urlencode(_lang(request))}",
    }
    status = 400 if form.is_bound else 200
    return show(request, "pages/customer_door/page.html", context, status=status)


@require_POST
@customer_page
def anew(request: HttpRequest, token: str) -> HttpResponseBase:
    """Mail a fresh link to the address of this one, and to no other; once a quarter of an hour at most."""
    holder = Holder(links.past_holder(token), token, is_fresh=False, language=request.GET.get("lang", ""))
    is_sent = fresh_links.mail(holder.identifier, request.GET.get("page", ""))
    title = _("Look into your mail") if is_sent else _("We cannot write to you there")
    context = {"title": title, "address": holder.hidden, "is_sent": is_sent}
    return show(request, "pages/customer_door/sent.html", context)


def _is_known(identifier: str) -> bool:
    try:
        people.subject_of(identifier)
    except NotFound:
        return False
    return True


def _lang(request: HttpRequest) -> dict[str, str]:
    asked = request.GET.get("lang", "")
    return {"lang": asked} if asked else {}


urlpatterns = [
    path("my/", door, name="customer_door"),
    path("my/new/<str:token>", anew, name="customer_anew"),
]
