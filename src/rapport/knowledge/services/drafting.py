"""Drafts of answers: from what is known in the venue's language and manner, never sent by themselves.

Where the firm named an endpoint and registered it as a recipient, a model there words the draft from the same
sources. It is given the sources and the question without what names somebody, and what it says is checked before
anybody sees it; where it fails, is too slow or says what no source holds, the draft of our own words stands
instead, and says why.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from django.utils import formats, translation
from django.utils.translation import gettext as _

from rapport.consent import outbound
from rapport.kit import clock, http, money, secret, wire
from rapport.kit.errors import Invalid, RapportError
from rapport.knowledge.models import Endpoint, Entry, Fact, Notice, Option
from rapport.knowledge.rules import asking, checking, drafting
from rapport.knowledge.services import indexing
from rapport.knowledge.services.proposing import option_view
from rapport.knowledge.services.stating import check_draft
from rapport.staff import selectors as staff

log = logging.getLogger(__name__)

PURPOSE = "service"
FIELDS = ("question",)  # what of the person leaves: their words, without what names them
ANSWER_BYTES = 200_000
OPTIONS_MAX = 4
TEMPLATE = "template"  # who words a draft where no endpoint is named


@dataclass(frozen=True, slots=True)
class DraftText:
    """A draft, what it stands on, who worded it, and what is to be looked at before it leaves.

    cites : keys of the proposals it stands on
    by : template, or the name of the model
    notes : sentences on what was left out or did not work
    unfounded : figures and addresses that no source has; to be marked
    sent : what left for the model: the kinds of personal details
    """

    text: str
    cites: tuple[str, ...]
    by: str = TEMPLATE
    notes: tuple[str, ...] = ()
    findings: tuple[checking.DraftFinding, ...] = ()
    unfounded: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()


def draft(
    proposal_keys: Sequence[str], question: str, *, language: str = "en", tone: str = "",
    length_max: int = drafting.LENGTH_MAX, forms_of_address: str = "", firm: str = "",
) -> DraftText:  # fmt: skip
    """Word an answer from proposals, the first of which answers. Raises Invalid where none of them is there any more."""
    wanted = drafting.Wanted(language, tone, forms_of_address, length_max)
    pieces = _pieces(proposal_keys, language)
    if not pieces:
        raise Invalid("nothing to draft from", "Choose a proposal that is still published.")
    made = drafting.from_template(pieces, wanted)
    notes = [_("Shortened to %(n)d characters.") % {"n": length_max}] if made.is_cut else []
    if pieces[0].language and pieces[0].language.partition("-")[0] != language.partition("-")[0]:
        notes.append(
            _("The solution is only written in %(language)s.") % {"language": _named(pieces[0].language)}
        )
    if any(not o.price and o.at for p in pieces for o in p.options):
        notes.append(_("Prices seen longer than a day ago are left out."))
    own = DraftText(
        made.text, made.cites, notes=tuple(notes), findings=_findings(made.text, language, pieces)
    )
    endpoint = Endpoint.objects.filter(is_on=True).order_by("id").first()
    return own if endpoint is None else _from_model(endpoint, pieces, question, wanted, firm, own)


def _findings(
    text: str, language: str, pieces: Sequence[drafting.Piece]
) -> tuple[checking.DraftFinding, ...]:
    return tuple(check_draft(text, language, sources=[_whole(piece) for piece in pieces]))


def _whole(piece: drafting.Piece) -> str:
    """All that a piece says, which bears out the figures of a draft made of it."""
    options = " ".join(f"{o.product} {o.place} {o.price} {o.at}" for o in piece.options)
    return f"{piece.title} {piece.text} {piece.until} {options}"


def sources_of(keys: Sequence[str], language: str) -> list[str]:
    """What the proposals of these keys say, as far as they are still published: words that stand on them may say it."""
    return [_whole(piece) for piece in _pieces(keys, language)]


def _pieces(keys: Sequence[str], language: str) -> list[drafting.Piece]:
    firm = staff.organisation()
    main = firm.language if firm else "en"
    made = []
    for key in dict.fromkeys(keys):
        if key.startswith(indexing.NOTICE):
            notice = Notice.objects.filter(slug=key.removeprefix(indexing.NOTICE), state="published").first()
            if notice is not None:
                text, code = asking.in_language(notice.texts, language, main)
                title = asking.in_language(notice.titles, language, main)[0]
                until = _day(notice.until, language) if notice.until and notice.until > clock.now() else ""
                made.append(drafting.Piece(key, "notice", title, text, code, until=until))
        elif key.startswith(indexing.FACT):
            fact = Fact.objects.filter(key=key.removeprefix(indexing.FACT), state="published").first()
            if fact is not None:
                made.append(
                    drafting.Piece(key, "fact", "", fact.statement, fact.language, url=fact.source_url)
                )
        else:
            row = Entry.objects.filter(key=key, state=Entry.State.PUBLISHED).first()
            if row is not None:
                text, code = asking.in_language(row.solutions, language, main)
                options = tuple(
                    _line(o, language)
                    for o in Option.objects.filter(entry=row).order_by("position", "id")[:OPTIONS_MAX]
                )
                made.append(drafting.Piece(key, "entry", row.title, text, code, options, row.url))
    return made


def _line(row: Option, language: str) -> drafting.Line:
    seen = option_view(row)
    if seen.price_minor is None:
        # A price left out leaves the time it was seen, by which the draft says that one is missing.
        return drafting.Line(row.product, row.place, "", "stale" if seen.is_stale else "", row.is_ours)
    amount = money.Money(seen.price_minor, seen.currency).amount
    with translation.override(_spoken(language)):
        said = f"{formats.number_format(amount, money.exponent(seen.currency))} {seen.currency}"
    return drafting.Line(row.product, row.place, said, _day(seen.priced_at, language), row.is_ours)


def _day(at: Any, language: str) -> str:
    with translation.override(_spoken(language)):
        return formats.date_format(at, "SHORT_DATE_FORMAT")


def _named(code: str) -> str:
    """A language by its name in the reader's own."""
    try:
        return str(translation.get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _spoken(language: str) -> str:
    short = language.partition("-")[0].lower()
    return short if short in drafting.languages() else "en"


def _from_model(
    endpoint: Endpoint,
    pieces: Sequence[drafting.Piece],
    question: str,
    wanted: drafting.Wanted,
    firm: str,
    own: DraftText,
) -> DraftText:
    """The same worded by a model; our own words where that fails in any way, which is then said."""
    if not firm:
        held = staff.organisation()
        firm = held.name if held else "Rapport"
    asked = drafting.request(pieces, asking.masked(question), wanted, firm)
    try:
        said = _complete(endpoint, asked)
    except RapportError as error:
        why = _("%(model)s was not heard: %(why)s. These are our own words.") % {
            "model": endpoint.model, "why": error.message,
        }  # fmt: skip
        return replace(own, notes=(*own.notes, why))
    found = drafting.read(said, pieces, wanted)
    if found.refused:
        reasons = {
            "nothing_cited": _("it names no source"), "unknown_source": _("it names a source that it was not given"),
            "too_long": _("it is longer than asked"), "empty": _("it says nothing"),
        }  # fmt: skip
        why = _("What %(model)s wrote is not shown: %(why)s. These are our own words.") % {
            "model": endpoint.model, "why": reasons[found.refused],
        }  # fmt: skip
        return replace(own, notes=(*own.notes, why), sent=FIELDS)
    notes = list(own.notes)
    if found.unfounded:
        notes.append(_("Marked: %(what)s stands in no source.") % {"what": ", ".join(found.unfounded)})
    findings = _findings(found.text, wanted.language, pieces)
    return DraftText(found.text, found.cites, endpoint.model, tuple(notes), findings, found.unfounded, FIELDS)


def _complete(endpoint: Endpoint, messages: list[dict[str, str]]) -> str:
    """What the model says. Raises Denied where it is no registered recipient, Unavailable where it does not answer well."""
    headers = {"Content-Type": "application/json"}
    if endpoint.sealed:
        headers["Authorization"] = f"Bearer {secret.unseal(endpoint.sealed)}"
    body = json.dumps({"model": endpoint.model, "messages": messages, "temperature": 0.2, "stream": False})
    answer = outbound.send(
        completions_url(endpoint.url), purpose=PURPOSE, fields=FIELDS, body=body.encode(), headers=headers,
        limits=http.Limits(time_s=endpoint.timeout_s, answer_bytes=ANSWER_BYTES, redirects=0),
    )  # fmt: skip
    if answer.status != 200:
        raise Invalid(f"it answered with status {answer.status}", "Check its address, model and key.")
    said = wire.text_at(wire.document(answer.body), "choices", 0, "message", "content")
    if not said.strip():
        raise Invalid("its answer holds no text", "Check that it speaks the chat completions protocol.")
    return said


def completions_url(url: str) -> str:
    """Where completions are asked for, whether the address was given with or without its end."""
    base = re.sub(r"/(v1(/chat(/completions)?)?)?/*$", "", url.strip())
    return f"{base}/v1/chat/completions"


def set_endpoint(
    url: str, model: str, *, by: str, key: str | None = None, timeout_s: float = 20.0, is_on: bool = True
) -> None:
    """Name the endpoint that words drafts; `key` None leaves the one there is.

    Raises Denied where the host is not registered as a recipient of the questions' words.
    """
    place = http.place_of(completions_url(url))
    if not model.strip():
        raise Invalid("no model is named", "Write its name as the endpoint knows it.")
    if not 1 <= timeout_s <= 120:
        raise Invalid(f"{timeout_s:g} s is no sensible wait", "Wait between 1 and 120 seconds.")
    if is_on:
        outbound.check(place.named, PURPOSE, FIELDS)
    row = Endpoint.objects.order_by("id").first() or Endpoint()
    if key is None and row.sealed and secret.place_of(row.url) != secret.place_of(url):
        raise Invalid("the key that is kept was given for another server", "Enter it again.")
    row.url, row.model, row.timeout_s, row.is_on = url.strip(), model.strip(), timeout_s, is_on
    if key is not None:
        row.sealed = secret.seal(key) if key else ""
    row.changed_at, row.changed_by = clock.now(), by
    row.save()


def drop_endpoint() -> None:
    """Word all drafts ourselves again."""
    Endpoint.objects.all().delete()


def host_of(url: str) -> str:
    """The host of an endpoint, as it is registered."""
    return urlsplit(url).netloc
