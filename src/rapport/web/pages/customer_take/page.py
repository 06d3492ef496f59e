"""Taking it along: everything we know as a file, for another service, for a spreadsheet, or to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from rapport.consent import services
from rapport.kit import clock
from rapport.kit.errors import Invalid, NotFound
from rapport.people import selectors as people
from rapport.staff import selectors as staff
from rapport.web import takeout
from rapport.web.customers import BY_PERSON, Holder, for_fresh_holder, show


@dataclass(frozen=True, slots=True)
class Form:
    """One form in which the file can be had."""

    key: str
    label: Any  # a lazy translation
    meaning: Any
    suffix: str
    media_type: str
    write: Callable[[takeout.Takeout], bytes]


FORMS = (
    Form(
        "json",
        gettext_lazy("For another service"),
        gettext_lazy("One JSON file that machines read. Its shape is described and has a number."),
        "json",
        "application/json",
        takeout.as_json,
    ),
    Form(
        "csv",
        gettext_lazy("For a spreadsheet"),
        gettext_lazy("A ZIP file with one CSV table for each part."),
        "zip",
        "application/zip",
        takeout.as_tables,
    ),
    Form(
        "html",
        gettext_lazy("To read or print"),
        gettext_lazy("One page that every browser opens, also without the internet."),
        "html",
        "text/html; charset=utf-8",
        takeout.as_page,
    ),
)


@require_http_methods(["GET", "HEAD", "POST"])
@for_fresh_holder
def take(request: HttpRequest, holder: Holder) -> HttpResponseBase:
    """The file itself comes by POST alone: a scanner that fetches every link takes nothing along."""
    try:
        mine = people.own(holder.identifier)
    except NotFound:
        nothing = {"title": _("We know nothing of you")}
        return show(request, "pages/customer_take/nothing.html", nothing, holder=holder)
    if request.method == "POST":
        return _file(request.POST.get("form", ""), holder, mine)
    context: dict[str, Any] = {"title": _("Take it with you"), "forms": FORMS}
    return show(request, "pages/customer_take/page.html", context, holder=holder)


def _file(key: str, holder: Holder, mine: people.OwnView) -> HttpResponse:
    chosen = next((form for form in FORMS if form.key == key), None)
    if chosen is None:
        raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    firm = staff.organisation()
    taken = takeout.gather(
        mine.subjects, [i.text for i in mine.identifiers], firm=firm.name if firm else "Rapport"
    )
    body = chosen.write(taken)
    asked = services.open_request(holder.identifier, "portability", by=BY_PERSON)
    services.close(asked.id, by=BY_PERSON, answer=f"taken along as {chosen.key}")
    answer = HttpResponse(body, content_type=chosen.media_type)
    name = f"{clock.now().date().isoformat()}-everything.{chosen.suffix}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


urlpatterns = [path("my/take/<str:token>", take, name="customer_take")]
