"""Log in and out with an e-mail address and a password, or by a one-time link that comes by mail."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.forms import EmailField, EmailInput
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from rapport.consent import links
from rapport.kit import ids
from rapport.messaging import selectors as mail
from rapport.messaging import services as messaging
from rapport.staff import rules, selectors, services
from rapport.web.access import for_all_staff, public


class LoginForm(AuthenticationForm):
    """Says that the pair is wrong, never which half of it: addresses stay private."""

    username = EmailField(label=_("E-mail"), widget=EmailInput(attrs={"autofocus": True}))
    error_messages = {
        "invalid_login": _(
            "This address and password do not go together. After several attempts, log-in"
            " pauses for a quarter of an hour."
        ),
        "inactive": _("This account is closed. Ask an owner to open it."),
    }

    def __init__(self, request: HttpRequest | None = None, *args: object, **kwargs: object) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].widget.attrs["autocomplete"] = "username"

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()


class Login(views.LoginView):
    template_name = "pages/login/page.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(is_set_up=selectors.is_set_up(), has_mail=mail.is_ready(), **kwargs)


MOST_TO_ONE = 3  # links by mail to one address within the time for which one works
MOST_FROM_ONE = 20  # asked for from one network within an hour


@require_POST
def link(request: HttpRequest) -> HttpResponseBase:
    """Mail a one-time link to a colleague. The answer is the same for every address."""
    address = request.POST.get("email", "").strip().lower()
    network = request.META.get("REMOTE_ADDR", "")
    few = messaging.may_ask("sign_in from", network, most=MOST_FROM_ONE, within=dt.timedelta(hours=1))
    if few and messaging.may_ask("sign_in", address, most=MOST_TO_ONE, within=rules.LOGIN_LINK_TTL):
        _mail_link(address)
    messages.success(
        request,
        gettext("If somebody here has this address, a link that lets them in once is on its way to it."),
    )
    return redirect("login")


def _mail_link(address: str) -> None:
    staff = selectors.staff_by_email(address)
    if staff is None or not staff.is_active or not mail.is_ready():
        return
    token = services.create_login_link(staff)
    messaging.send(
        messaging.Outgoing(
            to=f"staff:{staff.email}",
            purpose="service",
            template="sign_in",
            key=f"sign_in:{ids.uuid7().hex}",
            language=staff.language,
            context={
                "name": staff.name or staff.email,
                "minutes": int(rules.LOGIN_LINK_TTL.total_seconds() // 60),
                "enter_url": links.public_url() + reverse("enter", args=[token]),
            },
        )
    )


urlpatterns = [
    path("login/", public(Login.as_view()), name="login"),
    path("login/link/", public(link), name="login_link"),
    path("logout/", for_all_staff(views.LogoutView.as_view()), name="logout"),
]
