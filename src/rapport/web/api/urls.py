"""The API's addresses, its document and the page that shows it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger

from rapport.web.access import public
from rapport.web.api import (
    consents,
    conversations,
    events,
    knowledge,
    pausing,
    people,
    problems,
    requests,
    state,
    surveys,
)
from rapport.web.api.auth import BearerToken

VERSION = "1"
DESCRIPTION = """
Every request carries a token: `Authorization: Bearer rpt_…`. Owners make tokens for machines under
Installation, API tokens; a token opens the scopes it was made with, and one of your own never more than
your role. Reading people takes a `purpose`, and shows nobody whose data may not be used for it.

Answers other than success are `{"message", "hint", "fields"}`: what happened, what to do, and where in
the request. 429 and 503 say in `Retry-After` how many seconds to wait. Lists are paged by an opaque
cursor that is given with each page.
"""
# The page is Swagger UI, served from here like everything else. It sets styles through the DOM's style
# attribute in markup of its own, which the policy of the other pages forbids.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Page(Swagger):
    """Swagger UI within our own files."""

    template = "api/docs.html"

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        response = super().render_page(request, api, **kwargs)
        response.headers["Content-Security-Policy"] = POLICY
        return response


api = NinjaAPI(
    title="Rapport",
    version=VERSION,
    description=DESCRIPTION,
    urls_namespace="api",
    docs_url="/docs",
    docs=Page({"persistAuthorization": False, "tryItOutEnabled": False, "defaultModelsExpandDepth": 0}),
)
problems.install(api)
api.add_router("/people", people.router)
api.add_router("", consents.router)
api.add_router("/events", events.router)
api.add_router("/requests", requests.router)
api.add_router("/surveys", surveys.router)
api.add_router("/knowledge", knowledge.router)
api.add_router("/conversations", conversations.router)
api.add_router("/pause", pausing.router)
api.add_router("", state.router)


def _say_scopes() -> None:
    """Have the document say, of each endpoint, which scope opens it."""
    for _prefix, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                asked = [*operation.auth_callbacks, router.auth][0]
                scope = asked.scope if isinstance(asked, BearerToken) else None
                said = f"Scope: `{scope}`." if scope else "Any token."
                operation.description = f"{operation.description or ''}\n\n{said}".strip()


def _opened(patterns: list[Any]) -> list[URLPattern | URLResolver]:
    """The same patterns, past the log-in of the screens: a token opens them, or nothing does."""
    for pattern in patterns:
        is_root = pattern.name == "api-root"  # the document is written in its name; nothing is there
        pattern.callback = public(problems.nothing_here if is_root else pattern.callback)
    return patterns


_say_scopes()  # before the endpoints are copied into their addresses
_patterns, _app, _namespace = api.urls

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", (_opened(_patterns), _app, _namespace)),
    path("api/<path:rest>", public(problems.nothing_here)),
]
