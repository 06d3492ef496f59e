"""Facts and notices: what can be looked up, who contradicts it, and what is wrong now."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.consent import links
from rapport.conversations import selectors as conversations
from rapport.conversations.services import taking
from rapport.kit.errors import Invalid, NotFound, RapportError
from rapport.kit.seen import Changed
from rapport.knowledge import selectors, services
from rapport.knowledge.selectors.affecting import OPEN_DAYS
from rapport.messaging import selectors as messages_of_ours
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web import days, jobs, noticing
from rapport.web.access import may, needs
from rapport.web.components import formats, knowing, sending
from rapport.web.components.meanwhile import Difference, differences
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry

NAMES = ("facts", "fact", "fact_new", "flags", "notice", "notice_new")
entries = [
    Entry(
        "notices", gettext_lazy("Facts and notices"), "notices", "talk", 14, Right.SEE_KNOWLEDGE, also=NAMES
    )
]
actions = [
    Action("notice_new", gettext_lazy("New notice"), Right.CHANGE_KNOWLEDGE),
    Action("fact_new", gettext_lazy("New fact"), Right.CHANGE_KNOWLEDGE),
]
NOTICE_LABELS = {
    "titles": gettext_lazy("Title"),
    "texts": gettext_lazy("Text"),
    "words": gettext_lazy("How people will ask about it"),
    "products": gettext_lazy("Product codes or categories"),
    "countries": gettext_lazy("Countries"),
    "ordered_from": gettext_lazy("Ordered from"),
    "ordered_until": gettext_lazy("Ordered until"),
    "until": gettext_lazy("Expected to be over by"),
    "owner": gettext_lazy("Who looks after it"),
}
FACT_LABELS = {
    "statement": gettext_lazy("Statement"),
    "about": gettext_lazy("What it is about"),
    "aspect": gettext_lazy("Words for what it says of it"),
    "source_name": gettext_lazy("Source"),
    "source_url": gettext_lazy("Its address"),
    "stated_on": gettext_lazy("Stated on"),
    "valid_until": gettext_lazy("Holds until"),
    "language": gettext_lazy("Language"),
    "owner": gettext_lazy("Who looks after it"),
}
PUBLISHED = gettext_lazy("Everybody can read it now, and it comes first in answers.")
TONES = {"published": "warn", "draft": "", "ended": "muted"}


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
    rows = [
        (n, n.title(request.LANGUAGE_CODE), knowing.state_words(n.state), TONES.get(n.state, ""))
        for n in selectors.notices()
    ]
    return render(request, "pages/notices/page.html", _frame(request, "notices") | {"rows": rows})


@needs(Right.SEE_KNOWLEDGE)
def one(request: HttpRequest, slug: str) -> HttpResponseBase:
    return _notice(request, selectors.notice(slug))


@needs(Right.CHANGE_KNOWLEDGE)
def new(request: HttpRequest) -> HttpResponseBase:
    return _notice(request, None)


def _notice(request: HttpRequest, view: selectors.NoticeView | None) -> HttpResponseBase:
    wrong = ""
    meanwhile: list[Difference] = []
    post = request.POST
    if request.method == "POST" and may(request, Right.CHANGE_KNOWLEDGE):
        try:
            written = services.NoticeWritten(
                titles=knowing.read_languages(post, "title"), texts=knowing.read_languages(post, "text"),
                owner=post.get("owner", ""), words=knowing.lines(post.get("words", "")),
                products=knowing.words(post.get("products", "")), countries=knowing.words(post.get("countries", "")),
                ordered_from=days.read_moment(post.get("ordered_from", "")),
                ordered_until=days.read_moment(post.get("ordered_until", "")),
                until=days.read_moment(post.get("until", "")),
            )  # fmt: skip
            slug = services.write_notice(
                view.slug if view else "", written, by=_by(request), seen=post.get("seen")
            )
            if post.get("do") == "publish":
                services.publish_notice(slug, by=_by(request))
        except Changed as error:
            wrong, view = (
                f"{sentence(error.message)} {sentence(error.hint)}",
                selectors.notice(view.slug if view else ""),
            )
            meanwhile = differences(view.content, dataclasses.asdict(written), NOTICE_LABELS)
        except RapportError as error:
            wrong = f"{sentence(error.message)} {sentence(error.hint)}"
        else:
            is_published = post.get("do") == "publish"
            messages.success(request, PUBLISHED if is_published else _("Kept."))
            return redirect("notice", slug=slug)
    main = _main()
    titles, texts = dict(view.titles if view else {}), dict(view.texts if view else {})
    if wrong:
        titles, texts = knowing.read_languages(post, "title"), knowing.read_languages(post, "text")
    concerned = selectors.affected(view.slug) if view and view.state != "ended" else []
    held: dict[str, str] = {
        "owner": view.owner if view else _by(request),
        "words": "\n".join(view.words) if view else "",
        "products": ", ".join(view.products) if view else "",
        "countries": ", ".join(view.countries) if view else "",
        "ordered_from": days.written_moment(view.ordered_from) if view else "",
        "ordered_until": days.written_moment(view.ordered_until) if view else "",
        "until": days.written_moment(view.until) if view else "",
    }
    context = _frame(request, "notices") | {
        "view": view,
        "heading": view.title(request.LANGUAGE_CODE) if view else _("New notice"),
        "wrong": wrong,
        "meanwhile": meanwhile,
        "seen": post.get("seen", "") if wrong and not meanwhile else view.mark if view else "",
        "state": knowing.state_words(view.state) if view else "",
        "tone": TONES.get(view.state, "") if view else "",
        "titles": knowing.in_languages(titles, main),
        "texts": knowing.in_languages(texts, main),
        "update": knowing.in_languages({}, main),
        "updates": [(u, u.text(request.LANGUAGE_CODE)) for u in view.updates] if view else [],
        "n_concerned": formats.people(len(concerned)),
        "fates": _fates(view.slug) if view and view.state != "draft" else [],
        "is_mail_ready": messages_of_ours.is_ready(),
        "is_warning": bool(concerned),
        "open_days": OPEN_DAYS,
        "public_url": f"{links.public_url()}/notices/{view.slug}/" if view else "",
        "can_warn": may(request, Right.ANSWER),
        "zone": timezone.get_current_timezone_name(),
    } | {name: post.get(name, value) if wrong else value for name, value in held.items()}  # fmt: skip
    return render(request, "pages/notices/notice.html", context, status=400 if wrong else 200)


def _fates(slug: str) -> list[tuple[str, str, str]]:
    """What became of the messages about a notice: how many, in words, and where they are listed."""
    campaign = noticing.campaign_of(slug)
    sums = messages_of_ours.sums(messages_of_ours.Filter(campaign=campaign))
    counted = {"sent": sums.sent, "withheld": sums.withheld, "failed": sums.failed, "unknown": sums.unknown,
               "planned": sums.waiting}  # fmt: skip
    found = []
    for state, n in counted.items():
        why = ", ".join(sending.reason(reason) for of, reason, _n in sums.reasons if of == state)
        words = sending.state(state)[0]
        query = {"campaign": campaign, "days": "365"} | ({} if state == "planned" else {"state": state})
        if n:
            said = f"{formats.number(n)} {words}" + (f": {why}" if why and state != "planned" else "")
            found.append((state, said, f"{reverse('deliveries')}?{urlencode(query)}"))
    return found


@needs(Right.CHANGE_KNOWLEDGE)
@require_POST
def notice_do(request: HttpRequest, slug: str) -> HttpResponseBase:
    do, by = request.POST.get("do", ""), _by(request)
    try:
        if do == "publish":
            services.publish_notice(slug, by=by)
            messages.success(request, PUBLISHED)
        elif do == "update":
            services.update_notice(slug, knowing.read_languages(request.POST, "update"), by=by)
            messages.success(request, _("Added."))
        elif do == "end":
            services.end_notice(slug, by=by)
            messages.success(request, _("It is over. The page stays, and says since when."))
        elif do == "warn":
            if selectors.notice(slug).state != "published":
                raise Invalid(
                    _("the notice is not published"), _("Publish it first, so that the link leads somewhere.")
                )
            if not messages_of_ours.is_ready():
                raise Invalid(_("no mail can leave yet"), _("Set up mail under Messages, then tell them."))
            jobs.warn_of_notice.enqueue(slug, by)
            messages.success(request, _("Those concerned are written to now, each once."))
    except RapportError as error:
        messages.error(request, f"{sentence(error.message)} {sentence(error.hint)}")
    return redirect("notice", slug=slug)


@needs(Right.SEE_KNOWLEDGE)
def facts(request: HttpRequest) -> HttpResponseBase:
    context = _frame(request, "facts") | {
        "rows": selectors.facts(find=request.GET.get("find", "")),
        "find": request.GET.get("find", ""),
    }
    return render(request, "pages/notices/facts.html", context)


@needs(Right.SEE_KNOWLEDGE)
def fact(request: HttpRequest, key: str) -> HttpResponseBase:
    return _fact(request, selectors.fact(key))


@needs(Right.CHANGE_KNOWLEDGE)
def fact_new(request: HttpRequest) -> HttpResponseBase:
    return _fact(request, None)


def _fact(request: HttpRequest, view: selectors.FactView | None) -> HttpResponseBase:
    wrong = ""
    meanwhile: list[Difference] = []
    post = request.POST
    if request.method == "POST" and may(request, Right.CHANGE_KNOWLEDGE):
        try:
            if view and post.get("do") == "retire":
                services.retire_fact(view.key, by=_by(request))
            else:
                stated = knowing.read_day(post.get("stated_on", ""))
                if stated is None:
                    raise Invalid(_("the fact has no day"), _("Write the day on which it was stated."))
                written = services.FactWritten(
                    post.get("statement", ""), post.get("source_name", ""), stated,
                    knowing.words(post.get("about", "")), knowing.words(post.get("aspect", "")),
                    post.get("language", "en"), post.get("source_url", "").strip(),
                    knowing.read_day(post.get("valid_until", "")), post.get("owner", "").strip(),
                )  # fmt: skip
                services.write_fact(view.key if view else "", written, by=_by(request), seen=post.get("seen"))
        except Changed as error:
            wrong, view = (
                f"{sentence(error.message)} {sentence(error.hint)}",
                selectors.fact(view.key if view else ""),
            )
            meanwhile = differences(view.content, dataclasses.asdict(written), FACT_LABELS)
        except RapportError as error:
            wrong = f"{sentence(error.message)} {sentence(error.hint)}"
        else:
            return redirect("facts")
    held = {
        "statement": view.statement if view else "",
        "language": view.language if view else _main(),
        "about": ", ".join(view.about) if view else "",
        "aspect": ", ".join(view.aspect) if view else "",
        "source_name": view.source_name if view else "",
        "source_url": view.source_url if view else "",
        "stated_on": view.stated_on.isoformat() if view else "",
        "valid_until": view.valid_until.isoformat() if view and view.valid_until else "",
        "owner": view.owner if view else _by(request),
    }
    context = _frame(request, "facts") | {
        "view": view,
        "wrong": wrong,
        "meanwhile": meanwhile,
        "seen": post.get("seen", "") if wrong and not meanwhile else view.mark if view else "",
    }
    context |= {name: post.get(name, value) if wrong else value for name, value in held.items()}
    return render(request, "pages/notices/fact.html", context, status=400 if wrong else 200)


@needs(Right.SEE_KNOWLEDGE)
def flags(request: HttpRequest) -> HttpResponseBase:
    if request.method == "POST":
        if request.POST.get("do") == "open":
            return _open_in_inbox(request)
        if may(request, Right.CHANGE_KNOWLEDGE):
            number = knowing.number(request.POST.get("number"))
            services.settle_flag(number, is_right=request.POST.get("do") == "right", by=_by(request))
        return redirect("flags")
    at = knowing.number(request.GET.get("from"))
    rows = selectors.flags(first=at, limit=51)
    answers = may(request, Right.ANSWER)
    where = conversations.of_events(row.seq for row in rows[:50]) if answers else {}
    context = _frame(request, "flags") | {
        "rows": [(row, formats.percent(row.probability), where.get(row.seq)) for row in rows[:50]],
        "next_url": f"?from={at + 50}" if len(rows) > 50 else "",
        "first_url": "?" if at else "",
    }
    return render(request, "pages/notices/flags.html", context)


@needs(Right.ANSWER)
def _open_in_inbox(request: HttpRequest) -> HttpResponseBase:
    """Where it can be answered, also what nobody had to answer until now."""
    assert request.user.is_authenticated
    seq = knowing.number(request.POST.get("seq"))
    found = conversations.of_events([seq]).get(seq)
    if found is None:
        raise NotFound(_("these words are in no conversation"), _("They may have been taken back."))
    taking.take_up(found, by=request.user.pk)
    return redirect("inbox_one", found)


urlpatterns = [
    path("notices-and-facts/", listing, name="notices"),
    path("notices-and-facts/new/", new, name="notice_new"),
    path("notices-and-facts/facts/", facts, name="facts"),
    path("notices-and-facts/facts/new/", fact_new, name="fact_new"),
    path("notices-and-facts/facts/<str:key>/", fact, name="fact"),
    path("notices-and-facts/contradicted/", flags, name="flags"),
    path("notices-and-facts/<slug:slug>/", one, name="notice"),
    path("notices-and-facts/<slug:slug>/do/", notice_do, name="notice_do"),
]
