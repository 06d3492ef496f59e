"""What is due, looked at once more right before it leaves, and rendered."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rapport.consent import links
from rapport.consent import selectors as consent
from rapport.kit import bulk, clock, signing
from rapport.kit.errors import RapportError
from rapport.messaging.contract import Message
from rapport.messaging.models import Account, Delivery, Reply
from rapport.messaging.rules.blocks import Template
from rapport.messaging.services import rendering, steps
from rapport.messaging.services.templates import template
from rapport.pacing import selectors as pacing
from rapport.staff import selectors as staff

CLICK = "click"  # kind of the tokens in counted links
ANSWER = "answer"  # the template of what answers somebody
MAIL = "email"

_END = (
    "UPDATE messaging_delivery SET state = %s, reason = %s, answer = %s, context = %s, ended_at = %s,"
    " is_told = %s WHERE id = %s AND state = 'planned'"
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery that may leave now."""

    row: Delivery
    message: Message
    links: tuple[str, ...]

    @property
    def delivery(self) -> uuid.UUID:
        return self.row.id


@dataclass(frozen=True, slots=True)
class Firm:
    """Who sends, as every message says it."""

    name: str
    postal_address: str
    purposes: dict[str, str]


def due(channel: str, n: int, source: str = "") -> list[Prepared]:
    """The next deliveries of a channel, or of a source that posts, rendered; ends those that may not leave any more."""
    now = clock.now()
    rows = list(_planned(channel, now, source)[:n])
    late = [row for row in rows if row.expires_at is not None and row.expires_at <= now]
    _end([(row, Delivery.State.FAILED, "too_late", "") for row in late], now)
    left = [row for row in rows if row not in late]
    reasons = steps.reasons({i: as_intended(row) for i, row in enumerate(left)}, again=True)
    _end([(left[i], Delivery.State.WITHHELD, reason, "") for i, reason in reasons.items()], now)
    may_leave = [row for i, row in enumerate(left) if i not in reasons]
    answers = _answers(may_leave)
    rendered = _rendered([row for row in may_leave if not _is_bare(row, answers)], channel, answers, now)
    bare = [_bare(row, answers[row.id]) for row in may_leave if _is_bare(row, answers)]
    place = {row.id: i for i, row in enumerate(may_leave)}
    return sorted(rendered + bare, key=lambda prepared: place[prepared.delivery])


def end_late(source: str) -> None:
    """End what was to leave by a source that is off, and is not worth sending any more."""
    now = clock.now()
    late = Delivery.objects.filter(source=source, state=Delivery.State.PLANNED, expires_at__lte=now)
    _end([(row, Delivery.State.FAILED, "too_late", "") for row in late], now)


def _answers(rows: Sequence[Delivery]) -> dict[uuid.UUID, Reply]:
    """What those of the deliveries say that answer somebody."""
    asked = [row.id for row in rows if row.template == ANSWER]
    return Reply.objects.in_bulk(asked) if asked else {}


def _is_bare(row: Delivery, answers: Mapping[uuid.UUID, Reply]) -> bool:
    """Whether nothing but its words leave: a post, or a line in a chat. A letter has a head and a foot."""
    return row.id in answers and row.channel != MAIL


def _bare(row: Delivery, answer: Reply) -> Prepared:
    to = row.identifier.partition(":")[2]
    return Prepared(row, Message(row.id.hex, to, answer.subject_line, answer.text, language=row.language), ())


def is_due() -> bool:
    """Whether anything may leave now."""
    return _planned(None, clock.now()).exists()


def _planned(channel: str | None, now: dt.datetime, source: str = "") -> QuerySet[Delivery]:
    found = Delivery.objects.filter(state=Delivery.State.PLANNED, next_try_at__lte=now)
    if source:
        found = found.filter(source=source)
    elif channel is not None:
        found = found.filter(channel=channel, source="")
    if pacing.pause_all() is not None:
        # Colleagues have to be able to log in, or nobody could say that it may go on.
        found = found.filter(identifier__startswith=f"{steps.STAFF}:")
    elif pacing.pause() is not None:
        found = found.filter(is_service=True)
    return found.order_by("-is_service", "next_try_at", "id")


def as_intended(row: Delivery) -> steps.Intended:
    return steps.Intended(row.identifier, row.purpose, row.channel, row.is_service, row.campaign)


def _rendered(
    rows: Sequence[Delivery], channel: str, answers: Mapping[uuid.UUID, Reply], now: dt.datetime
) -> list[Prepared]:
    if not rows:
        return []
    firm = _firm(channel)
    uncounted = _uncounted(rows)
    found, broken = [], []
    for row in rows:
        try:
            found.append(_message(row, firm, answers.get(row.id), counts=row.id not in uncounted))
        except RapportError as error:
            broken.append((row, Delivery.State.FAILED, "cannot_render", str(error)))
    _end(broken, now)
    return found


def _uncounted(rows: Sequence[Delivery]) -> set[uuid.UUID]:
    """Service messages are not counted, nor those of people who object to being counted."""
    asked = {i: row for i, row in enumerate(rows) if not row.is_service}
    refused = steps.allowed(
        {i: steps.Intended(row.identifier, "analytics", "", is_service=False) for i, row in asked.items()}
    )
    return {row.id for row in rows if row.is_service} | {asked[i].id for i in refused}


def _firm(channel: str) -> Firm:
    firm = staff.organisation()
    address = Account.objects.filter(channel=channel).values_list("postal_address", flat=True).first()
    return Firm(
        name=firm.name if firm else "",
        postal_address=address or "",
        purposes={purpose.key: purpose.name for purpose in consent.purposes()},
    )


def _message(row: Delivery, firm: Firm, answer: Reply | None, *, counts: bool) -> Prepared:
    of = template(row.template)
    given = {"text": answer.text, "subject_line": answer.subject_line} if answer else row.context
    rendered = rendering.render(
        of,
        {**given, "firm": firm.name},
        lambda: _foot(row, firm),
        language=row.language,
        counted=(lambda position: click_url(row.id, position)) if counts else None,
    )
    return Prepared(
        row,
        Message(
            id=row.id.hex,
            to=row.identifier.partition(":")[2],
            subject_line=rendered.subject_line,
            text=rendered.text,
            html=rendered.html,
            language=row.language,
            headers=_answering(answer) if answer else _headers(row, of),
        ),
        rendered.links,
    )


def _answering(answer: Reply) -> dict[str, str]:
    """What joins a letter to those it answers (RFC 5322, 3.6.4); a person wrote it, so it is no automatic one."""
    headers = {}
    if answer.in_reply_to:
        headers["In-Reply-To"] = _message_id(answer.in_reply_to)
    chain = dict.fromkeys(_message_id(one) for one in (answer.thread, answer.in_reply_to) if one)
    if chain:
        headers["References"] = " ".join(chain)
    return headers


def _message_id(text: str) -> str:
    bare = "".join(text.split()).strip("<>")
    return f"<{bare}>"


def _headers(row: Delivery, of: Template) -> dict[str, str]:
    if of.is_service:
        return {"Auto-Submitted": "auto-generated"}
    way_out = links.one_click_url(row.identifier, row.purpose, row.channel, row.id.hex)
    return {
        "List-Unsubscribe": f"<{way_out}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _foot(row: Delivery, firm: Firm) -> rendering.Foot:
    if row.identifier.startswith(f"{steps.STAFF}:"):
        return rendering.Foot(firm.name, firm.postal_address)
    if row.is_service:
        return rendering.Foot(firm.name, firm.postal_address, rendering.because("", is_service=True))
    return rendering.Foot(
        firm.name,
        firm.postal_address,
        rendering.because(firm.purposes.get(row.purpose, row.purpose), is_service=False),
        (
            (_("Why you got this"), links.url_for(row.identifier, "why", message=row.id.hex)),
            (_("Your wishes"), links.url_for(row.identifier, "preferences")),
            (
                _("Unsubscribe"),
                links.one_click_url(row.identifier, row.purpose, row.channel, row.id.hex),
            ),
        ),
    )


def click_url(delivery: uuid.UUID, position: int) -> str:
    """The address by which a message's link is counted; it leads where the message says, and nowhere else."""
    return f"{links.public_url()}/m/{signing.sign(CLICK, delivery.hex, str(position))}"


def _end(ended: Sequence[tuple[Delivery, str, str, str]], now: dt.datetime) -> None:
    if ended:
        at = bulk.time_value(now)
        bulk.execute_many(
            _END,
            [
                (state, reason, answer, "{}", at, False, bulk.uuid_value(row.id))
                for row, state, reason, answer in ended
            ],
        )
