"""Knowledge: entries and their editor, trying a question, what nobody could answer, and how sure proposals are."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.kit.errors import Invalid, RapportError
from rapport.kit.seen import Changed
from rapport.knowledge import selectors, services
from rapport.knowledge.rules import asking, weighing
from rapport.knowledge.selectors.listing import outcomes_share
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web import charts
from rapport.web.access import may, needs
from rapport.web.components import formats, knowing
from rapport.web.components.meanwhile import Difference, differences
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry

FILE_MAX = 4_000_000
ROWS_MAX = 1_000  # of a file taken in while somebody waits
NAMES = (
    "knowledge_entry", "knowledge_new", "knowledge_try", "knowledge_unanswered", "knowledge_slots", "knowledge_sure",
    "knowledge_import",
)  # fmt: skip

entries = [Entry("knowledge", gettext_lazy("Knowledge"), "read", "talk", 13, Right.SEE_KNOWLEDGE, also=NAMES)]
actions = [
    Action("knowledge_new", gettext_lazy("New entry"), Right.CHANGE_KNOWLEDGE),
    Action("knowledge_try", gettext_lazy("Try a question"), Right.SEE_KNOWLEDGE),
]
LABELS = {
    "title": gettext_lazy("The problem in a line"),
    "wordings": gettext_lazy("How people put it"),
    "solutions": gettext_lazy("What helps"),
    "options": gettext_lazy("Options"),
    "needs": gettext_lazy("What must be known"),
    "fits": gettext_lazy("When it is right"),
    "url": gettext_lazy("Where more can be read"),
    "owner": gettext_lazy("Who looks after it"),
    "review_by": gettext_lazy("To be read again by"),
    "state": gettext_lazy("State"),
}
FILTERS = {
    "": gettext_lazy("All"),
    "published": gettext_lazy("Published"),
    "draft": gettext_lazy("Drafts"),
    "due": gettext_lazy("To be read again"),
    "retired": gettext_lazy("Retired"),
}


def _frame(request: HttpRequest, tab: str) -> dict[str, Any]:
    return {"tab": tab, "counts": selectors.counts(), "can_change": may(request, Right.CHANGE_KNOWLEDGE)}


def _main() -> str:
    firm = staff.organisation()
    return firm.language if firm else "en"


def _by(request: HttpRequest) -> str:
    assert request.user.is_authenticated
    return str(request.user.email)


@needs(Right.SEE_KNOWLEDGE)
def listing(request: HttpRequest) -> HttpResponseBase:
    find, state = request.GET.get("find", ""), request.GET.get("state", "")
    rows, following = selectors.entries(find=find, state=state, before=request.GET.get("before", ""))
    context = _frame(request, "entries") | {
        "rows": [(row, knowing.state_words(row.state), knowing.STATES.get(row.state, "")) for row in rows],
        "find": find,
        "state": state,
        "filters": list(FILTERS.items()),
        "next_url": f"?{urlencode({'find': find, 'state': state, 'before': following})}" if following else "",
        "first_url": f"?{urlencode({'find': find, 'state': state})}" if request.GET.get("before") else "",
    }
    return render(request, "pages/knowledge/page.html", context)


@needs(Right.SEE_KNOWLEDGE)
def entry(request: HttpRequest, key: str) -> HttpResponseBase:
    return _editor(request, selectors.entry(key))


@needs(Right.CHANGE_KNOWLEDGE)
def new(request: HttpRequest) -> HttpResponseBase:
    return _editor(request, None)


def _editor(request: HttpRequest, view: selectors.EntryView | None) -> HttpResponseBase:
    wrong: RapportError | None = None
    meanwhile: list[Difference] = []
    if request.method == "POST":
        if not may(request, Right.CHANGE_KNOWLEDGE):
            return redirect("knowledge")
        try:
            written = knowing.read_entry(request.POST, view, currency=staff.currency(), by=_by(request))
            key = services.write_entry(
                view.key if view else "", written, by=_by(request), seen=request.POST.get("seen")
            )
        except Changed as error:
            wrong, view = error, selectors.entry(view.key if view else "")
            meanwhile = differences(view.content, written.content, LABELS)
        except RapportError as error:
            wrong = error
        else:
            messages.success(
                request,
                _("Kept. Proposals know it from now on.") if written.state == "published" else _("Kept."),
            )
            return redirect("knowledge_entry", key=key)
    main = _main()
    post = request.POST if wrong else None
    solutions = knowing.read_languages(post, "solution") if post else dict(view.solutions) if view else {}
    wordings = knowing.read_languages(post, "wordings") if post else knowing.wordings_of(view) if view else {}
    if not view and not post and request.GET.get("question"):
        wordings = {main: request.GET["question"]}
    context = _frame(request, "entries") | {
        "view": view,
        "wrong": f"{sentence(wrong.message)} {sentence(wrong.hint)}" if wrong else "",
        "meanwhile": meanwhile,
        "seen": _seen(view, request, is_new=not wrong or bool(meanwhile)),
        "states": [(s, knowing.state_words(s)) for s in ("draft", "published", "retired")],
        "solutions": knowing.in_languages(solutions, main),
        "wordings": knowing.in_languages(wordings, main),
        "options": knowing.sent_options(post) if post else knowing.option_lines(view.options if view else ()),
        "currency": staff.currency(),
        "waiting": [w for w in view.wordings if not w.is_live] if view else [],
        "slots": _slots(view, post),
    }
    if post:
        context |= {name: post.get(name, "") for name in ("title", "url", "owner", "review_by", "state")}
    else:
        context |= {
            "title": view.title if view else "",
            "url": view.url if view else "",
            "owner": view.owner if view else _by(request),
            "review_by": view.review_by.isoformat() if view and view.review_by else "",
            "state": view.state if view else "draft",
        }
    return render(request, "pages/knowledge/entry.html", context, status=400 if wrong else 200)


def _seen(view: selectors.EntryView | None, request: HttpRequest, *, is_new: bool) -> str:
    """The mark of what is shown; of a form that was refused, that of what it was opened with."""
    return (view.mark if view else "") if is_new else request.POST.get("seen", "")


def _slots(
    view: selectors.EntryView | None, post: QueryDict | None
) -> list[tuple[asking.SlotRule, bool, str]]:
    """Every slot: whether the entry needs it, and the values it is right for."""
    if post is not None:
        return [
            (s, s.name in post.getlist("needs"), post.get(f"fits_{s.name}", "")) for s in selectors.slots()
        ]
    needs, fits = (view.needs, view.fits) if view else ((), {})
    return [(s, s.name in needs, "; ".join(fits.get(s.name, ()))) for s in selectors.slots()]


@needs(Right.CHANGE_KNOWLEDGE)
@require_POST
def wording(request: HttpRequest, key: str) -> HttpResponseBase:
    services.settle_wording(
        knowing.number(request.POST.get("wording")), taken=request.POST.get("do") == "take"
    )
    return redirect("knowledge_entry", key=key)


@needs(Right.SEE_KNOWLEDGE)
def trying(request: HttpRequest) -> HttpResponseBase:
    question = request.GET.get("question", "").strip()
    language = request.GET.get("language", "") or _main()
    known = {s.name: request.GET.get(f"known_{s.name}", "").strip() for s in selectors.slots()}
    said = draft = None
    wrong = ""
    if question:
        said = services.propose(question, language=language, known={k: v for k, v in known.items() if v})
        chosen = request.GET.get("draft", "")
        if chosen:
            try:
                draft = services.draft([chosen], question, language=language)
            except RapportError as error:
                wrong = sentence(error.message)
    query = {"question": question, "language": language} | {f"known_{k}": v for k, v in known.items() if v}
    context = _frame(request, "try") | {
        "question": question,
        "language": language,
        "languages": list(settings.LANGUAGES),
        "known": list(known.items()),
        "said": said,
        "draft": draft,
        "wrong": wrong,
        "lines": [
            (
                p,
                formats.percent(p.probability),
                _kind(p.kind),
                f"?{urlencode(query | {'draft': p.key})}#draft",
            )
            for p in (said.proposals if said else ())
        ],
        "findings": [_finding(f.code, f.words) for f in draft.findings] if draft else [],
        "silent_below": formats.percent(weighing.SILENT_BELOW),
    }
    return render(request, "pages/knowledge/try.html", context)


def _kind(kind: str) -> str:
    return {"entry": _("entry"), "notice": _("notice"), "fact": _("fact")}[kind]


def _finding(code: str, words: str) -> str:
    why = {
        "spin": _("says nothing that could be wrong"),
        "superlative": _("claims to be first; no fact says so"),
        "promise": _("promises something"),
        "stale_price": _("is a price seen longer than a day ago"),
        "wrong_price": _("is not the price we know"),
        "claim_without_fact": _("stands in no fact and no source"),
        "expired_fact": _("rests on a fact whose time is over"),
        "contradicts_fact": _("contradicts a fact"),
    }[code]
    return f"“{words}” {why}"


@needs(Right.SEE_KNOWLEDGE)
def unanswered(request: HttpRequest) -> HttpResponseBase:
    if request.method == "POST":
        if may(request, Right.CHANGE_KNOWLEDGE):
            services.close_unanswered(knowing.number(request.POST.get("number")), by=_by(request))
        return redirect("knowledge_unanswered")
    at = knowing.number(request.GET.get("from"))
    rows = selectors.unanswered(before=at, limit=51)
    context = _frame(request, "unanswered") | {
        "rows": [
            (row, f"{reverse('knowledge_new')}?{urlencode({'question': row.question})}") for row in rows[:50]
        ],
        "next_url": f"?from={at + 50}" if len(rows) > 50 else "",
        "first_url": "?" if at else "",
    }
    return render(request, "pages/knowledge/unanswered.html", context)


@needs(Right.SEE_KNOWLEDGE)
def slots(request: HttpRequest) -> HttpResponseBase:
    wrong = ""
    if request.method == "POST" and may(request, Right.CHANGE_KNOWLEDGE):
        name = request.POST.get("name", "").strip()
        try:
            if request.POST.get("do") == "drop":
                services.drop_slot(name)
            else:
                services.write_slot(
                    name,
                    questions=knowing.read_languages(request.POST, "question"),
                    spellings=knowing.read_slot_values(request.POST.get("values", "")),
                    is_number=request.POST.get("is_number") == "on",
                )
        except RapportError as error:
            wrong = f"{sentence(error.message)} {sentence(error.hint)}"
        else:
            return redirect("knowledge_slots")
    main = _main()
    chosen = next((s for s in selectors.slots() if s.name == request.GET.get("slot")), None)
    again = request.POST if wrong else QueryDict()
    questions = (
        knowing.read_languages(again, "question") if again else dict(chosen.questions) if chosen else {}
    )
    values = (
        again.get("values", "")
        if again
        else "\n".join(f"{v}: {', '.join(ways)}" if ways else v for v, ways in chosen.spellings.items())
        if chosen
        else ""
    )
    context = _frame(request, "slots") | {
        "rows": [(s, s.question(request.LANGUAGE_CODE, main), len(s.spellings)) for s in selectors.slots()],
        "wrong": wrong,
        "name": again.get("name", chosen.name if chosen else ""),
        "questions": knowing.in_languages(questions, main),
        "values": values,
        "is_number": again.get("is_number") == "on" if again else bool(chosen and chosen.is_number),
        "chosen": chosen,
    }
    return render(request, "pages/knowledge/slots.html", context, status=400 if wrong else 200)


@needs(Right.SEE_KNOWLEDGE)
def sure(request: HttpRequest) -> HttpResponseBase:
    weights, at = selectors.learnt()
    share = outcomes_share()
    context = _frame(request, "sure") | {
        "weights": weights,
        "at": at,
        "chart": _agreement(weights) if weights.bands else None,
        "first": formats.share(weights.n_first_right, weights.n_questions) if weights.n_questions else "",
        "shown": formats.share(weights.n_shown_right, weights.n_questions) if weights.n_questions else "",
        "rival": formats.share(weights.n_rival_shown, weights.n_questions) if weights.n_questions else "",
        "off": formats.number(100 * weighing.off(weights.bands), 1) if weights.bands else "",
        "outcomes": share,
        "outcomes_first": formats.share(share.n_first, share.n) if share.n else "",
        "outcomes_shown": formats.share(share.n_shown, share.n) if share.n else "",
        "silent_below": formats.percent(weighing.SILENT_BELOW),
        "right_saves": formats.number(weighing.RIGHT_SAVES),
        "endpoint": selectors.endpoint(),
        "can_register": may(request, Right.CHANGE_PRIVACY),
    }
    return render(request, "pages/knowledge/sure.html", context)


def _agreement(weights: weighing.Weights) -> charts.Chart:
    off = weighing.off(weights.bands)
    return charts.agreement(
        _("What is said to be right is right, within %(off)s of 100") % {"off": formats.number(100 * off, 1)},
        [charts.Agreement(b.said, b.right, b.n, *_interval(b.right, b.n)) for b in weights.bands],
        x_title=_("said: right with"),
        y_title=_("were right"),
        right=Right.SEE_KNOWLEDGE,
        said=formats.percent,
        note=_("A point on the dashed line: what was said is what came."),
        as_percent=True,
    )


def _interval(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


@needs(Right.CHANGE_KNOWLEDGE)
@require_POST
def relearn(request: HttpRequest) -> HttpResponseBase:
    services.learn()
    messages.success(request, _("Learnt anew from all wordings and outcomes."))
    return redirect("knowledge_sure")


@needs(Right.CHANGE_PRIVACY)
@require_POST
def endpoint(request: HttpRequest) -> HttpResponseBase:
    if request.POST.get("do") == "drop":
        services.drop_endpoint()
        messages.success(request, _("Drafts are in our own words again."))
        return redirect("knowledge_sure")
    given = request.POST.get("key", "")
    try:
        services.set_endpoint(
            request.POST.get("url", ""), request.POST.get("model", ""), by=_by(request), key=given or None,
            timeout_s=float(request.POST.get("timeout_s") or 20),
        )  # fmt: skip
    except (RapportError, ValueError) as error:
        said = (
            f"{sentence(error.message)} {sentence(error.hint)}"
            if isinstance(error, RapportError)
            else str(error)
        )
        messages.error(request, said)
    else:
        messages.success(request, _("Drafts are worded there from now on. Nothing is sent unseen."))
    return redirect("knowledge_sure")


@needs(Right.CHANGE_KNOWLEDGE)
def importing(request: HttpRequest) -> HttpResponseBase:
    wrong, done = "", None
    if request.method == "POST":
        try:
            file = request.FILES.get("file")
            if file is None:
                raise Invalid(_("no file was chosen"), _("Choose a CSV, JSONL or JSON file."))
            if file.size is None or file.size > FILE_MAX:
                raise Invalid(
                    _("the file is too large"), _("Use `rapport import knowledge FILE` on the server.")
                )
            content = file.read()
            tried = services.import_file(content, name=file.name or "", dry_run=True)
            if tried.n_new + tried.n_changed > ROWS_MAX:
                raise Invalid(
                    _("the file holds more than a thousand entries"),
                    _("Use `rapport import knowledge FILE` on the server, which shows how far it is."),
                )
            dry = request.POST.get("do") == "try"
            done = tried if dry else services.import_file(content, name=file.name or "", by=_by(request))
        except RapportError as error:
            wrong = f"{sentence(error.message)} {sentence(error.hint)}"
    context = _frame(request, "import") | {
        "wrong": wrong,
        "done": done,
        "bad": done.bad[:200] if done else (),
    }
    return render(request, "pages/knowledge/import.html", context, status=400 if wrong else 200)


urlpatterns = [
    path("knowledge/", listing, name="knowledge"),
    path("knowledge/new/", new, name="knowledge_new"),
    path("knowledge/try/", trying, name="knowledge_try"),
    path("knowledge/unanswered/", unanswered, name="knowledge_unanswered"),
    path("knowledge/slots/", slots, name="knowledge_slots"),
    path("knowledge/sure/", sure, name="knowledge_sure"),
    path("knowledge/sure/learn/", relearn, name="knowledge_learn"),
    path("knowledge/sure/endpoint/", endpoint, name="knowledge_endpoint"),
    path("knowledge/import/", importing, name="knowledge_import"),
    path("knowledge/entry/<str:key>/", entry, name="knowledge_entry"),
    path("knowledge/entry/<str:key>/wording/", wording, name="knowledge_wording"),
]
