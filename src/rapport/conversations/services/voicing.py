"""One click: customers' words on their way to the department that can change something."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
import uuid
from collections.abc import Mapping

from django.utils.translation import gettext as _

from rapport.consent import selectors as consent
from rapport.conversations.models import Message, VoiceDraft
from rapport.conversations.services import summing
from rapport.conversations.services.working import held, note_done
from rapport.kit import clock, ids
from rapport.kit.errors import Invalid, NotFound
from rapport.knowledge.rules import asking as asking_rules

PURPOSE = "analytics"  # that words serve which a department reads; whoever refuses it is counted, not quoted
QUOTES_MAX, QUOTE_CHARS = 5, 600
NAME_CHARS_MIN = 3  # what is shorter is a part of many words
DUE_DAYS = 7
URGENT, URGENT_DAYS = 0.75, 2
STATES = ("draft", "taken", "dropped")
# Which department a word of an aspect or of a reason for writing points to; found by its beginning.
DEPARTMENTS: Mapping[str, tuple[str, ...]] = {
    "logistics": ("deliver", "shipping", "parcel", "packag", "late", "courier"),
    "product": ("quality", "fit", "defect", "product", "size", "durab"),
    "pricing": ("price", "cost", "fee"),
    "web": ("website", "app", "checkout", "search", "login", "account"),
    "billing": ("refund", "invoice", "payment", "charge", "billing"),
    "service": ("service", "staff", "support", "advice"),
}
ELSE = "service"


def department_of(aspect: str, reason: str) -> str:
    """The department that an aspect or a reason for writing points to.

    >>> department_of("delivery", ""), department_of("", "refund_not_received"), department_of("", "")
    ('logistics', 'billing', 'service')
    """
    for word in (aspect.lower(), reason.lower()):
        for department, begins in DEPARTMENTS.items():
            if word and any(part.startswith(b) for part in word.replace("-", "_").split("_") for b in begins):
                return department
    return ELSE


def voice_draft(number: uuid.UUID, *, by: int, department: str = "") -> uuid.UUID:
    """Draft a voice case of a conversation; a second click gives the draft that is there. Gives its number."""
    with held(number) as one:
        there = VoiceDraft.objects.filter(conversation=one, state="draft").first()
        if there is not None:
            return there.id
        said = Message.objects.filter(conversation=one, direction=Message.Direction.IN).exclude(text="")
        asking = list(said.exclude(why="").order_by("ts", "id")[:QUOTES_MAX]) or list(
            said.order_by("ts")[:QUOTES_MAX]
        )
        aspect = next((m.aspect for m in asking if m.aspect), "")
        reason = next((m.contact_reason for m in asking if m.contact_reason), "")
        quotes = _quotes(asking)
        is_quoted = not quotes or not quotes[0]["is_withheld"]
        days = URGENT_DAYS if one.urgency >= URGENT else DUE_DAYS
        made = VoiceDraft.objects.create(
            id=ids.uuid7(),
            conversation=one,
            identifier=one.identifier,
            department=department.strip()[:64] or department_of(aspect, reason),
            title=_nameless(one.title, asking[0].author_name, asking[0].identifier)
            if is_quoted and asking
            else "",
            quotes=quotes,
            aspect=aspect,
            reason=reason,
            due_on=(clock.now() + dt.timedelta(days=days)).date(),
            made_by=by,
            made_at=clock.now(),
        )
        summing.touch(one, [])
        note_done(one, by, "voiced", department=made.department)
        return made.id


def _quotes(asking: list[Message]) -> list[dict[str, object]]:
    """Words with a pseudonym in place of the name; of whoever refuses, that there are words and no more."""
    allowed: dict[str, bool] = {}
    quotes: list[dict[str, object]] = []
    for message in asking:
        who = message.identifier
        if who not in allowed:
            allowed[who] = bool(consent.allows(who, PURPOSE)) if who else True
        quotes.append(
            {
                "pseudonym": pseudonym(message),
                "day": message.ts.date().isoformat(),
                "text": _nameless(message.text, message.author_name, who)[:QUOTE_CHARS]
                if allowed[who]
                else "",
                "is_withheld": not allowed[who],
                "message": message.id,
            }
        )
    return quotes


def _nameless(text: str, author_name: str, identifier: str) -> str:
    """Words without what names whoever wrote them: their name and its parts, handles, addresses, long numbers."""
    handle = identifier.partition(":")[2]
    parts = {author_name, *author_name.split(), handle, handle.partition("@")[0]}
    said = asking_rules.masked(text)
    for part in sorted((p for p in parts if len(p) >= NAME_CHARS_MIN), key=len, reverse=True):
        said = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "…", said, flags=re.IGNORECASE)
    return said


def pseudonym(message: Message) -> str:
    """A name that is the same within one conversation and says nothing outside it."""
    digest = hashlib.blake2b(f"{message.origin}:{message.identifier}".encode(), digest_size=2).hexdigest()
    return f"customer {digest}"


def change_voice(
    number: uuid.UUID, *, department: str = "", due_on: dt.date | None = None, state: str = ""
) -> None:
    """Send it to another department, move its day, take it up or drop it."""
    found = VoiceDraft.objects.filter(pk=number).first()
    if found is None:
        raise NotFound(_("there is no such draft"), _("Load the list again."))
    if state and state not in STATES:
        raise Invalid(_("%(name)s is no state") % {"name": state}, f"{', '.join(STATES)}.")
    found.department = department.strip()[:64] or found.department
    found.due_on = due_on or found.due_on
    found.state = state or found.state
    found.save(update_fields=["department", "due_on", "state"])


def export_voice() -> str:
    """Every draft as CSV, the first due first."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["due_on", "department", "title", "aspect", "reason", "state", "conversation", "day", "who", "words"]
    )
    for draft in VoiceDraft.objects.order_by("due_on", "made_at").iterator(chunk_size=500):
        for quote in draft.quotes or [{}]:
            row = [
                draft.due_on, draft.department, draft.title, draft.aspect, draft.reason, draft.state,
                draft.conversation_id or "", quote.get("day", ""), quote.get("pseudonym", ""), quote.get("text", ""),
            ]  # fmt: skip
            writer.writerow([_plain(str(value)) for value in row])
    return out.getvalue()


def _plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
