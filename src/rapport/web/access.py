"""Who may open a page. Everything asks for log-in unless it says that it is public."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from rapport.kit.errors import Denied
from rapport.staff import selectors
from rapport.staff.rules import Right

V = TypeVar("V", bound=Callable[..., HttpResponseBase])

public = login_not_required


def needs(right: Right) -> Callable[[V], V]:
    """Let only those in whose role carries the right; the others are told whom to ask."""

    def decorate(view: V) -> V:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            demand(request, right)
            return view(request, *args, **kwargs)

        return _marked(cast("V", guarded), right)

    return decorate


def for_all_staff(view: V) -> V:
    """Mark a page that everybody who is logged in may open, whatever the role."""
    return _marked(view, None)


def _marked(view: V, right: Right | None) -> V:
    setattr(view, "right", right)  # noqa: B010  read by the test that no page forgot to ask
    return view


def demand(request: HttpRequest, right: Right) -> None:
    """Refuse unless the one who asks has the right."""
    if not may(request, right):
        owners = ", ".join(selectors.owner_names())
        raise Denied(
            _("your role does not open this page"),
            _("Ask %(owners)s to change your role.") % {"owners": owners}
            if owners
            else _("Ask an owner to change your role."),
        )


def may(request: HttpRequest, right: Right) -> bool:
    """Whether the one who asks is logged in and has the right."""
    return bool(request.user.is_authenticated and request.user.may(right))


class LoginRequired(LoginRequiredMiddleware):
    """As Django's, but a fragment asked for by htmx sends the whole page to the log-in."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        answer = super().handle_no_permission(request, view_func)
        fragment = getattr(request, "htmx", None)
        if not fragment:
            return answer
        back = fragment.current_url_abs_path or "/"
        client_redirect: Any = HttpResponseClientRedirect(f"{reverse('login')}?{urlencode({'next': back})}")
        return cast("HttpResponseRedirect", client_redirect)
