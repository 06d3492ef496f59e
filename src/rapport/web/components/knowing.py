"""Forms of knowledge: an entry, a slot, a fact and a notice read from what a page sends, and shown again."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from rapport.kit import clock, money
from rapport.kit.errors import Invalid
from rapport.knowledge import selectors, services

BLANK_OPTIONS = 2
STATES = {"published": "good", "draft": "", "retired": "muted"}


@dataclass(frozen=True, slots=True)
class InLanguage:
    """One text in one language, as `components/in_languages.html` shows it."""

    language: str
    language_name: str
    value: str
    is_main: bool


@dataclass(frozen=True, slots=True)
class OptionLine:
    """One row of an entry's options."""

    number: int
    id: int | None
    product: str = ""
    place: str = ""
    url: str = ""
    is_ours: bool = True
    price: str = ""
    currency: str = ""
    row: selectors.OptionRow | None = None


def state_words(state: str) -> str:
    return {
        "published": _("published"),
        "draft": _("draft"),
        "retired": _("retired"),
        "ended": _("over"),
    }.get(state, state)


def in_languages(texts: dict[str, str], main: str) -> list[InLanguage]:
    """A text in every language of the screens, the firm's first."""
    order = sorted(settings.LANGUAGES, key=lambda pair: pair[0] != main)
    known = [*order, *((code, code) for code in texts if code not in dict(order))]
    return [InLanguage(code, name, texts.get(code, ""), code == main) for code, name in known]


def read_languages(post: QueryDict, name: str) -> dict[str, str]:
    """What was written under NAME_LANGUAGE."""
    start = f"{name}_"
    said = {key.removeprefix(start): post.get(key, "").strip() for key in post if key.startswith(start)}
    return {language: text for language, text in said.items() if text}


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def number(text: str | None) -> int:
    """The number that a page of ours sent; 0 for whatever else was written into an address."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def words(text: str) -> list[str]:
    """Words between commas or lines."""
    return [word.strip() for word in re.split(r"[,\n]", text) if word.strip()]


def option_lines(options: Sequence[selectors.OptionRow]) -> list[OptionLine]:
    """The options of an entry, and blank rows for more."""
    made = [
        OptionLine(
            k, o.id, o.product, o.place, o.url, o.is_ours,
            "" if o.price_minor is None else str(money.Money(o.price_minor, o.currency).amount), o.currency, o,
        )
        for k, o in enumerate(options)
    ]  # fmt: skip
    return [*made, *(OptionLine(len(made) + k, None) for k in range(BLANK_OPTIONS))]


def sent_options(post: QueryDict) -> list[OptionLine]:
    """The options of a form that was refused, as they were sent."""
    made: list[OptionLine] = []
    while f"option_{len(made)}_product" in post:
        start = f"option_{len(made)}_"
        made.append(
            OptionLine(
                len(made), number(post.get(start + "id")) or None, post.get(start + "product", ""),
                post.get(start + "place", ""), post.get(start + "url", ""), post.get(start + "whose", "ours") == "ours",
                post.get(start + "price", ""), post.get(start + "currency", ""),
            )
        )  # fmt: skip
    return made


def read_options(
    post: QueryDict, before: Sequence[selectors.OptionRow], currency: str
) -> list[services.OptionWritten]:
    """The options that a form sends. A price is as old as it was, unless it changed or was said to be seen just now."""
    known = {o.id: o for o in before}
    alike = {(o.product, o.place): o for o in before}  # of a form that is older than the rows
    made = []
    for k in range(len(known) + BLANK_OPTIONS + 50):
        product = post.get(f"option_{k}_product", "").strip()
        if not product:
            continue
        place = post.get(f"option_{k}_place", "").strip()
        was = known.get(number(post.get(f"option_{k}_id"))) or alike.get((product, place))
        priced = post.get(f"option_{k}_price", "").strip()
        code = (post.get(f"option_{k}_currency", "").strip() or currency).upper()
        minor = _minor(priced, code) if priced else None
        same = was is not None and was.price_minor == minor and was.currency == code
        seen = clock.now() if post.get(f"option_{k}_seen") or not same else was.priced_at if was else None
        made.append(
            services.OptionWritten(
                product, place, post.get(f"option_{k}_url", "").strip(),
                post.get(f"option_{k}_whose", "ours") == "ours", minor, code if minor is not None else "",
                seen if minor is not None else None,
            )
        )  # fmt: skip
    return made


def _minor(text: str, currency: str) -> int:
    try:
        amount = Decimal(text.replace(" ", "").replace(",", "."))
        minor = amount * 10 ** money.exponent(currency)
        if (
            minor != minor.to_integral_value()
            or not 0 <= minor < 10**12
            or not re.fullmatch(r"[A-Z]{3}", currency)
        ):
            raise InvalidOperation
    except InvalidOperation:
        raise Invalid(
            _("%(price)s is no price") % {"price": f"{text} {currency}"},
            _("Write it as 12.50, and EUR beside it."),
        ) from None
    return int(minor)


def read_day(text: str) -> dt.date | None:
    """A day of a form; None where none is given."""
    if not text.strip():
        return None
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(_("%(day)s is no day") % {"day": text}, _("Write it as 2027-01-31.")) from None


def wordings_of(view: selectors.EntryView) -> dict[str, str]:
    """The wordings that are live, one a line, by language."""
    made: dict[str, list[str]] = {}
    for wording in view.wordings:
        if wording.is_live:
            made.setdefault(wording.language, []).append(wording.text)
    return {language: "\n".join(texts) for language, texts in made.items()}


def read_entry(
    post: QueryDict, before: selectors.EntryView | None, *, currency: str, by: str
) -> services.Written:
    """An entry as a form sends it."""
    wordings = [
        (code, text) for code, held in read_languages(post, "wordings").items() for text in lines(held)
    ]
    if before:
        # In a language that no screen has: the form does not show it, and so does not take it away.
        shown = {code for code, _name in settings.LANGUAGES}
        wordings += [(w.language, w.text) for w in before.wordings if w.is_live and w.language not in shown]
    fits = {
        slot.name: [v.strip() for v in post.get(f"fits_{slot.name}", "").split(";") if v.strip()]
        for slot in selectors.slots()
    }
    return services.Written(
        title=post.get("title", ""),
        solutions=read_languages(post, "solution"),
        wordings=wordings,
        options=read_options(post, before.options if before else (), currency),
        needs=post.getlist("needs"),
        fits={slot: values for slot, values in fits.items() if values},
        url=post.get("url", "").strip(),
        owner=post.get("owner", "").strip() or by,
        review_by=read_day(post.get("review_by", "")),
        state=post.get("state", "draft"),
    )


def read_slot_values(text: str) -> dict[str, list[str]]:
    """One value a line: `Kolt Brio: brio, kolt`."""
    made = {}
    for line in lines(text):
        value, _colon, ways = line.partition(":")
        made[value.strip()] = words(ways)
    return made
