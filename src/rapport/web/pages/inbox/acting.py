"""What is done with a conversation on the screen: one press, one verb, and never a word lost."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.conversations import selectors, services
from rapport.kit.errors import Conflict, Invalid
from rapport.knowledge import services as knowledge
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.venues import selectors as venues
from rapport.venues import services as venue_rules
from rapport.venues.rules.counting import length
from rapport.web import growing
from rapport.web.access import demand, needs
from rapport.web.components import formats, inboxing
from rapport.web.errors import sentence
from rapport.web.pages.inbox import beside, framing, shown

COMPOSES = ("use", "canned", "ask")  # these put words into the composer, and send nothing
TWICE = ("ja", "ko", "zh")  # languages whose signs X counts as two
ROOM_MIN = 80  # less says nothing; what is too long then is shortened by whoever writes
LEAVING = ("planned", "sent", "unknown")  # of an answer: gone, or on its way


@needs(Right.ANSWER)
@require_POST
def act(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """Do what was pressed; what is being written meanwhile is kept first, whatever comes of it."""
    assert request.user.is_authenticated
    do, _colon, to = request.POST.get("do", "").partition(":")
    text, other = _kept(request, number)
    if do in COMPOSES:
        return _composed(request, number, do, to, text, other)
    verb = VERBS.get(do)
    if do == "unsplit":
        return _unsplit(request, number)
    if verb is None:
        raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    try:
        said = verb(request, number, to)
    except services.Moved as error:
        return _shown(request, number, text=text, other=other, moved=error)
    if said:
        messages.success(request, said)
    return _shown(request, number, text="" if do.startswith("answer") else text, other=other)


def _shown(
    request: HttpRequest,
    number: uuid.UUID,
    *,
    text: str | None = None,
    other: str = "",
    moved: services.Moved | None = None,
) -> HttpResponseBase:
    view = request.POST.get("view", "") or shown.MAIN
    if not getattr(request, "htmx", False) and moved is None and not other:
        return redirect(shown.address(view, number))
    it = shown.opened(request, number, view)
    it.proposal_keys = _keys(request) if it.draft or text else ""
    if text and not it.draft:
        it.draft = text
    if moved is not None:
        it.moved = shown.moved(moved, shown.names())
        it.draft = text or it.draft
    if other:
        it.draft, it.other_draft = text or "", other
    context = {"it": it, "open": it, "view": view, "list_url": shown.address(view), "toasts": True}
    status = 409 if moved is not None or other else 200
    if getattr(request, "htmx", False):
        return render(request, "pages/inbox/answered.html", context, status=status)
    return render(
        request, "pages/inbox/page.html", framing.frame(request, view, number) | context, status=status
    )


def _kept(request: HttpRequest, number: uuid.UUID) -> tuple[str, str]:
    """Keep what stands in the composer; gives it, and what another window of the same person had kept instead."""
    assert request.user.is_authenticated
    if "text" not in request.POST:
        return "", ""
    text = request.POST["text"].replace("\r\n", "\n")
    try:
        services.keep_draft(
            number, request.user.pk, text, _version(request), _number(request.POST.get("saved_no"))
        )
    except Conflict:
        mine = selectors.draft(number, request.user.pk)
        return text, mine.text if mine else ""
    return text, ""


def _version(request: HttpRequest) -> int:
    version = _number(request.POST.get("version"))
    return version if version is not None else 0


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


# Words into the composer


def _composed(
    request: HttpRequest, number: uuid.UUID, do: str, to: str, text: str, other: str
) -> HttpResponseBase:
    assert request.user.is_authenticated
    head = selectors.conversation(number)
    language = shown.language_of(head)
    keys = ""
    notes: list[str] = []
    if do == "canned":
        found = next((one for one in selectors.canned(to) if one.short == to), None)
        if found is None:
            raise Invalid(_("there is no such ready answer any more"), _("Choose another one."))
        added = services.ready_text(found.text(language), head.author_name, _me(request))
    elif do == "ask":
        asks = beside.propose(request, head).asks
        added = asks.question if asks else ""
    else:
        added, keys, notes = _drafted(head, to, language, written=text)
    joined = f"{text.rstrip()}\n\n{added}" if text.strip() else added
    if not other:
        services.keep_draft(number, request.user.pk, joined, _version(request))
    if not getattr(request, "htmx", False):
        for note in notes:
            messages.warning(request, note)
        return redirect(shown.address(request.POST.get("view", "") or shown.MAIN, number) + "#composer-text")
    view = request.POST.get("view", "") or shown.MAIN
    it = shown.opened(request, number, view)
    it.draft, it.other_draft, it.proposal_keys = joined, other, _keys(request, keys)
    it.notes = notes
    return render(request, "pages/inbox/composed.html", {"it": it, "view": view, "toasts": True})


def _keys(request: HttpRequest, more: str = "") -> str:
    """The proposals that the words stand on: those put in before, and one put in now."""
    given = [key for key in f"{request.POST.get('keys', '')},{more}".split(",") if key]
    return ",".join(dict.fromkeys(given))


def _drafted(head: Any, key: str, language: str, *, written: str = "") -> tuple[str, str, list[str]]:
    """A draft made of a proposal, in the venue's manner, what it stands on, and what is to be known of it."""
    to = selectors.answering(head.id)
    venue = (to.venue or to.network) if to else shown.venue_of(head)
    card = venues.card(venue).card
    room = _room(venue, language, is_public=to.is_public if to else head.is_public, written=written)
    firm = staff.organisation()
    made = knowledge.draft(
        [key],
        beside.asked(head),
        language=language,
        tone=card.tone,
        forms_of_address=card.forms_of_address.get(language.partition("-")[0], ""),
        firm=firm.name if firm else "",
        **({"length_max": room} if room else {}),
    )
    notes = list(made.notes)
    if made.by != knowledge.TEMPLATE:
        notes.append(
            _("Worded by %(model)s from its sources. Read it before it leaves.") % {"model": made.by}
        )
    return made.text, ",".join(made.cites), notes


def _room(venue: str, language: str, *, is_public: bool, written: str) -> int:
    """How long a draft may be beside what is written already and what the venue wants said of its writer; 0: any."""
    card = venues.card(venue).card
    if not card.length_max:
        return 0
    probe = f"{written.strip()}\n\n…".strip()
    taken = length(
        venue_rules.check(venue, probe, language=language, is_public=is_public).text, card.length_as
    )
    left = card.length_max - taken
    if card.length_as == "x" and language.partition("-")[0] in TWICE:
        left //= 2
    return max(left, ROOM_MIN)


# Verbs: each gives what to say, or nothing


def _answer(request: HttpRequest, number: uuid.UUID, _to: str) -> str:
    assert request.user.is_authenticated
    return _said_of(request, number, _answered(request, number))


def _answered(request: HttpRequest, number: uuid.UUID) -> services.Outcome:
    text = request.POST.get("text", "").replace("\r\n", "\n")
    return services.answer(number, text, by=_me(request), version=_version(request))


def _answer_resolve(request: HttpRequest, number: uuid.UUID, _to: str) -> str:
    outcome = _answered(request, number)
    said = _said_of(request, number, outcome)
    if outcome.state in LEAVING:  # what did not leave, or waits for somebody, settles nothing
        services.resolve(number, by=_me(request))
    return said


def _said_of(request: HttpRequest, number: uuid.UUID, outcome: services.Outcome) -> str:
    keys = [key for key in request.POST.get("keys", "").split(",") if key]
    if outcome.state in ("failed", "withheld"):
        # The conversation is shown as it is now, or sending again would look like somebody else's doing.
        why = sentence(_("it did not leave: %(why)s") % {"why": outcome.reason.rstrip(".")})
        messages.error(request, f"{why} {_('Your words are kept in the composer.')}")
        return ""
    if keys:
        head = selectors.conversation(number)
        knowledge.resolved(
            beside.asked(head),
            request.POST.get("text", ""),
            keys,
            _email(request),
            language=head.language,
            identifier=head.identifier,
            conversation=head.id.hex,
            heard=growing.heard_in(beside.asking(head)),
        )
    if outcome.state == "waiting":
        return _("It waits for approval; nothing has left yet.")
    return _("On its way.")


def _email(request: HttpRequest) -> str:
    assert request.user.is_authenticated
    return request.user.email


def _me(request: HttpRequest) -> int:
    assert request.user.is_authenticated
    return int(request.user.pk)


def _resolve(request: HttpRequest, number: uuid.UUID, to: str) -> str:
    services.resolve(number, to or "solved", by=_me(request))
    return _("Resolved: %(outcome)s.") % {"outcome": inboxing.outcome(to or "solved")}


def _reopen(request: HttpRequest, number: uuid.UUID, _to: str) -> str:
    services.reopen(number, by=_me(request))
    return _("It is open again.")


def _assign(request: HttpRequest, number: uuid.UUID, to: str) -> str:
    whom = _number(to)
    services.assign(number, whom, by=_me(request))
    if whom is None:
        return _("It is nobody’s again.")
    return _("%(name)s has it now.") % {"name": shown.names().get(whom, "")}


def _snooze(request: HttpRequest, number: uuid.UUID, to: str) -> str:
    until = next((at for value, _label, at in shown.snoozes() if value == to), None)
    if to == "at":
        until = shown.moment(request.POST.get("until", ""))
    if until is None:
        raise Invalid(_("no moment was chosen"), _("Choose until when it is put off."))
    services.snooze(number, until, by=_me(request))
    return _("Put off; it comes back by itself, or when they write again.")


def _wait(request: HttpRequest, number: uuid.UUID, _to: str) -> str:
    services.wait(number, by=_me(request))
    return _("It is their turn; it comes back when they write.")


def _priority(request: HttpRequest, number: uuid.UUID, to: str) -> str:
    services.prioritise(number, to, by=_me(request))
    return _("Its place in the list has changed.")


def _note(request: HttpRequest, number: uuid.UUID, _to: str) -> str:
    services.note(number, request.POST.get("note", ""), by=_me(request))
    return ""


def _correct(request: HttpRequest, number: uuid.UUID, _to: str) -> str:
    head = selectors.conversation(number)
    changed = 0
    for name in shown.READ:
        label = request.POST.get(f"say_{name}", "")
        if label and label != getattr(head, name):
            services.correct(number, name, label, by=_me(request))
            changed += 1
    return _("Written down; it stands above what models say.") if changed else _("Nothing was changed.")


def _merge(request: HttpRequest, number: uuid.UUID, to: str) -> str:
    services.merge(_uuid(to), number, by=_me(request))
    return _("They are one conversation now; it can be taken back under More.")


def _unmerge(request: HttpRequest, number: uuid.UUID, to: str) -> str:  # noqa: ARG001  a verb's shape
    services.unmerge(_uuid(to), by=_me(request))
    return _("They are two conversations again.")


def _split(request: HttpRequest, number: uuid.UUID, to: str) -> str:
    services.split(number, [_number(to) or 0], by=_me(request))
    return _("It is a conversation of its own now.")


def _unsplit(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """Put it back where it was taken out of, and go there: this one is no more."""
    back = services.unsplit(number, by=_me(request))
    messages.success(request, _("They are one conversation again."))
    response = _shown(request, back)
    if getattr(request, "htmx", False):
        response["HX-Push-Url"] = shown.address(request.POST.get("view", "") or shown.MAIN, back)
    return response


def _macro(request: HttpRequest, number: uuid.UUID, to: str) -> str:
    services.run_macro(number, _number(to) or 0, by=_me(request), version=_version(request))
    return _("Done, all of it.")


def _playbook(request: HttpRequest, number: uuid.UUID, to: str) -> str:
    services.begin_playbook(number, to, by=_me(request))
    return _("Its steps and their times stand beside the conversation.")


def _step(request: HttpRequest, number: uuid.UUID, to: str) -> str:  # noqa: ARG001  a verb's shape
    book, _dot, position = to.partition(".")
    said = request.POST.get(f"note_{to}", "")
    services.do_step(_number(book) or 0, _number(position) or 0, by=_me(request), note=said)
    return ""


def _give_up(request: HttpRequest, number: uuid.UUID, to: str) -> str:  # noqa: ARG001  a verb's shape
    services.give_up(_number(to) or 0, by=_me(request))
    return _("It has ended; what was done of it stays written down.")


def _voice(request: HttpRequest, number: uuid.UUID, _to: str) -> str:
    made = services.voice_draft(number, by=_me(request))
    draft = selectors.voice(made)
    if draft is None:  # dropped with its words in the same moment
        return ""
    said = {"department": inboxing.department(draft.department), "day": formats.day_text(draft.due_on)}
    return _("Drafted for %(department)s, due %(day)s. It stands under “For departments”.") % said


def _approve(request: HttpRequest, number: uuid.UUID, to: str) -> str:  # noqa: ARG001  a verb's shape
    demand(request, Right.APPROVE_ANSWERS)
    services.approve(_number(to) or 0, by=_me(request))
    return _("Approved; it is on its way.")


def _refuse(request: HttpRequest, number: uuid.UUID, to: str) -> str:  # noqa: ARG001  a verb's shape
    demand(request, Right.APPROVE_ANSWERS)
    services.refuse(_number(to) or 0, request.POST.get(f"reason_{to}", ""), by=_me(request))
    return _("Not approved; whoever wrote it sees why.")


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Invalid(_("no conversation was chosen"), _("Choose one of the list.")) from None


VERBS: dict[str, Callable[[HttpRequest, uuid.UUID, str], str]] = {
    "answer": _answer,
    "answer_resolve": _answer_resolve,
    "resolve": _resolve,
    "reopen": _reopen,
    "assign": _assign,
    "snooze": _snooze,
    "wait": _wait,
    "priority": _priority,
    "note": _note,
    "correct": _correct,
    "merge": _merge,
    "unmerge": _unmerge,
    "split": _split,
    "macro": _macro,
    "playbook": _playbook,
    "step": _step,
    "give_up": _give_up,
    "voice": _voice,
    "approve": _approve,
    "refuse": _refuse,
}


@needs(Right.ANSWER)
@require_POST
def draft(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """Keep what is being written; where another window kept something else, give both."""
    assert request.user.is_authenticated
    try:
        saved_no = services.keep_draft(
            number,
            request.user.pk,
            request.POST.get("text", "").replace("\r\n", "\n"),
            _version(request),
            _number(request.POST.get("saved_no")),
        )
    except Conflict as error:
        mine = selectors.draft(number, request.user.pk)
        if mine is None:
            return JsonResponse({"error": sentence(error.message)}, status=503)
        html = render_to_string("pages/inbox/other_draft.html", {"other_draft": mine.text}, request)
        return JsonResponse({"html": html, "saved_no": mine.saved_no}, status=409)
    return JsonResponse({"saved_no": saved_no})
