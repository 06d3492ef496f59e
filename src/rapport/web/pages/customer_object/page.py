"""Objecting (GDPR article 21) and restricting (article 18): in force at once, and noted as a request."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.kit.errors import Invalid, NotFound
from rapport.people import selectors as people
from rapport.web.components import consenting
from rapport.web.customers import BY_PERSON, Holder, for_holder, privacy_signal, show

SHOWN = "objection page"
NOTE_CHARS_MAX = 2_000


@require_http_methods(["GET", "HEAD", "POST"])
@for_holder
def objecting(request: HttpRequest, holder: Holder) -> HttpResponseBase:
    if request.method == "POST":
        return _do(request, holder)
    said = request.GET.get("said", "")
    context = {
        "title": _("Object or restrict"),
        "uses": _uses(holder, is_asked_by_browser=bool(privacy_signal(request))),
        "is_restricted": _is_restricted(holder),
        "is_known": _is_known(holder),
        "said": _told(said),
        "note_chars_max": NOTE_CHARS_MAX,
    }
    return show(request, "pages/customer_object/page.html", context, holder=holder)


def _do(request: HttpRequest, holder: Holder) -> HttpResponseBase:
    note = request.POST.get("note", "").strip()[:NOTE_CHARS_MAX]
    what = request.POST.get("do", "")
    if what == "object":
        said = "objected" if _object(request.POST.getlist("use"), note, holder) else "nothing"
    elif what == "restrict":
        services.restrict(holder.identifier, by=BY_PERSON, reason=note)
        asked = services.open_request(holder.identifier, "restriction", by=BY_PERSON, note=note)
        services.close(asked.id, by=BY_PERSON, answer="in force at once")
        said = "restricted"
    elif what == "unrestrict":
        services.unrestrict(holder.identifier, by=BY_PERSON)
        said = "unrestricted"
    else:
        raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    return redirect(holder.url("object", said=said))


def _object(chosen: list[str], note: str, holder: Holder) -> bool:
    """Object to what was ticked; whatever was written besides is a request that staff answer."""
    open_uses = {purpose.key for purpose, _name, _meaning, is_open, _ticked in _uses(holder) if is_open}
    objected = [key for key in chosen if key in open_uses]
    for key in objected:
        services.withdraw(holder.identifier, key, how="preference_page", shown=SHOWN)
    if note and _is_known(holder):
        services.open_request(holder.identifier, "objection", by=BY_PERSON, note=note)
    return bool(objected or note)


def _uses(
    holder: Holder, *, is_asked_by_browser: bool = False
) -> list[tuple[consent.PurposeView, str, str, bool, bool]]:
    """What is done without asking: purpose, name, meaning, whether it is done now, whether it comes ticked."""
    found = []
    for purpose in consent.purposes(active_only=True):
        if purpose.can_be_refused and not purpose.needs_consent:
            is_open = consent.allows(holder.identifier, purpose.key).state not in ("denied", "withdrawn")
            ticked = is_open and is_asked_by_browser
            found.append((purpose, consenting.name(purpose), consenting.meaning(purpose), is_open, ticked))
    return found


def _is_restricted(holder: Holder) -> bool:
    """A restriction stands before everything that can be refused, whatever was said of it."""
    refusable = [purpose for purpose in consent.purposes(active_only=True) if purpose.can_be_refused]
    return any(consent.allows(holder.identifier, p.key).reason == "restricted" for p in refusable)


def _is_known(holder: Holder) -> bool:
    try:
        people.subject_of(holder.identifier)
    except NotFound:
        return False
    return True


def _told(said: str) -> str:
    return {
        "objected": _("Noted. What you objected to stops now."),
        "nothing": _("You ticked and wrote nothing, so nothing changed."),
        "restricted": _(
            "What we know of you is kept and used for nothing that you did not order or ask for."
        ),
        "unrestricted": _("The restriction has ended. Your other wishes hold as before."),
    }.get(said, "")


urlpatterns = [path("my/object/<str:token>", objecting, name="customer_object")]
