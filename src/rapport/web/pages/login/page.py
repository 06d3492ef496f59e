"""Log in and out with an e-mail address and a password."""

from __future__ import annotations

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.forms import EmailField, EmailInput
from django.http import HttpRequest
from django.urls import path
from django.utils.translation import gettext_lazy as _

from rapport.staff import selectors
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
        return super().get_context_data(is_set_up=selectors.is_set_up(), **kwargs)


urlpatterns = [
    path("login/", public(Login.as_view()), name="login"),
    path("logout/", for_all_staff(views.LogoutView.as_view()), name="logout"),
]
