"""A picture that a network fetches from here while a post of ours is being posted there; at no other time."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from django.views.decorators.http import require_safe

from rapport.kit.errors import RapportError
from rapport.messaging.services import fetched
from rapport.web.access import public


@public
@require_safe
def picture(request: HttpRequest, token: str) -> HttpResponseBase:  # noqa: ARG001  a view's
    """The picture of an address that nobody can guess; whatever is wrong with one, it leads nowhere."""
    try:
        media = fetched.picture(token)
    except RapportError:
        answer = HttpResponse("There is nothing here.", content_type="text/plain", status=404)
    else:
        answer = HttpResponse(media.read(), content_type=media.content_type)
    answer["Cache-Control"] = "no-store"
    answer["X-Robots-Tag"] = "noindex"
    return answer


urlpatterns = [path("picture/<str:token>", picture, name="picture_fetched")]
