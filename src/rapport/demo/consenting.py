"""What people allowed, refused, took back and would rather have: on forms, by mail, at the counter."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.demo.buying import Trade
from rapport.demo.draw import Flags, Floats, Ints, join, stream, take
from rapport.demo.identifiers import Identifiers
from rapport.demo.persons import People
from rapport.demo.rows import Rows, json_object, text_member
from rapport.demo.span import DAY_S
from rapport.demo.world import LANGUAGES

# Of those who can be reached on a channel, who allows marketing there, who says no, who later takes it back.
# Mail is not here: who agrees to it is a truth of the market, and who takes it back does so in a mailing.
MARKETING = {"sms": (0.22, 0.10, 0.14), "phone": (0.08, 0.15, 0.10), "post": (0.30, 0.04, 0.03)}
PUSH = (0.60, 0.25, 0.20)
SUGGESTIONS = (0.48, 0.22, 0.06)
SURVEYS = (0.35, 0.10, 0.12)
REFUSES_MAIL = 0.30  # of those who do not agree to mail, says so; the others never answered
OBJECTS = {"analytics": 0.015, "profiling": 0.03}
WISHES = 0.06  # of those who get mail, say how often
LISTS_TOPICS = 0.05  # of the same, choose topics

# The words of the newsletter form, as its readers saw them.
WORDINGS = {
    "en": "Yes, write to me by e-mail about products and offers that may suit my car."
    " I can stop it at any time.",
    "de": "Ja, schreiben Sie mir per E-Mail über Produkte und Angebote, die zu meinem Auto passen können."
    " Ich kann das jederzeit beenden.",
    "fr": "Oui, écrivez-moi par e-mail à propos de produits et d'offres qui peuvent convenir à ma voiture."
    " Je peux arrêter à tout moment.",
    "es": "Sí, escríbanme por correo electrónico sobre productos y ofertas que puedan ir bien con mi coche."
    " Puedo dejarlo cuando quiera.",
    "ko": "네, 제 차에 맞을 만한 상품과 할인 소식을 이메일로 보내 주세요. 언제든지 그만둘 수 있습니다.",
}


def record(rows: Rows, p: People, ids: Identifiers, lived: Trade, seeds: tuple[int, ...]) -> None:
    """Touchpoints of consent and preference of a block's customers."""
    rng = stream("consents", *seeds, int(p.number[0]))
    n = len(p)
    account = pc.coalesce(ids.customer, ids.email, ids.loyalty)
    asked_s = lived.entry_s + rng.integers(20, 900, n)
    _mail(rows, p, ids, asked_s, rng)
    reached = {
        "sms": (p.has_phone, ids.phone),
        "phone": (p.has_phone, ids.phone),
        "post": (p.is_customer, account),
    }
    for channel, (has, identifier) in reached.items():
        shares = MARKETING[channel]
        _choice(rows, f"m{channel}", "marketing", channel, identifier, has, asked_s, lived, shares, rng)
    _choice(rows, "mpush", "marketing", "push", ids.customer, p.has_app, asked_s, lived, PUSH, rng)
    _choice(rows, "psn", "personalisation", "", account, p.is_customer, asked_s, lived, SUGGESTIONS, rng)
    _choice(rows, "rsc", "research", "email", ids.email, p.has_email, asked_s, lived, SURVEYS, rng)
    for purpose, share in OBJECTS.items():
        at = np.flatnonzero(p.is_customer & (rng.random(n) < share))
        when_s = _later(rows, asked_s, at, rng)
        _add(
            rows,
            f"o{purpose}",
            "withdrawn",
            purpose,
            "",
            account,
            at,
            when_s,
            "preference_page",
            "/preferences",
        )
    _wishes(rows, p, ids, asked_s, rng)


def _mail(rows: Rows, p: People, ids: Identifiers, asked_s: Floats, rng: np.random.Generator) -> None:
    """Mail: old customers came with a file, new ones ticked a box and confirmed by the link of a message."""
    old, new = np.flatnonzero(p.agrees_to_mail & ~p.is_new), np.flatnonzero(p.agrees_to_mail & p.is_new)
    wording = join(take(LANGUAGES, p.language), "-1")
    _add(rows, "gi", "granted", "marketing", "email", ids.email, old, asked_s[old], "import", "customer file")
    confirmed_s = asked_s[new] + rng.integers(40, 7200, len(new))
    _add(
        rows, "gf", "granted", "marketing", "email", ids.email, new, confirmed_s, "confirmed", "/register",
        wording=wording,
    )  # fmt: skip
    refuses = np.flatnonzero(p.has_email & ~p.agrees_to_mail & (rng.random(len(p)) < REFUSES_MAIL))
    _add(
        rows, "gn", "denied", "marketing", "email", ids.email, refuses, asked_s[refuses], "form", "/register",
        wording=wording,
    )  # fmt: skip


def _choice(
    rows: Rows, kind: str, purpose: str, channel: str, identifier: pa.Array, has: Flags, asked_s: Floats,
    lived: Trade, shares: tuple[float, float, float], rng: np.random.Generator,
) -> None:  # fmt: skip
    """Some allow it, some say no, most do not answer; of those who allow it some take it back."""
    grants, refuses, changes = shares
    drawn = rng.random(len(has))
    allow = np.flatnonzero(has & (drawn < grants))
    deny = np.flatnonzero(has & (drawn >= grants) & (drawn < grants + refuses))
    shown = "/account" if purpose == "marketing" else "/welcome"
    _add(rows, f"{kind}g", "granted", purpose, channel, identifier, allow, asked_s[allow], "form", shown)
    _add(rows, f"{kind}d", "denied", purpose, channel, identifier, deny, asked_s[deny], "form", shown)
    back = allow[(rng.random(len(allow)) < changes) & (lived.end_s[allow] > asked_s[allow])]
    when_s = _later(rows, asked_s, back, rng)
    _add(
        rows,
        f"{kind}w",
        "withdrawn",
        purpose,
        channel,
        identifier,
        back,
        when_s,
        "preference_page",
        "/preferences",
    )


def _wishes(rows: Rows, p: People, ids: Identifiers, asked_s: Floats, rng: np.random.Generator) -> None:
    n = len(p)
    often = np.flatnonzero(p.agrees_to_mail & (rng.random(n) < WISHES))
    values = take(('\\"weekly\\"', '\\"monthly\\"'), rng.integers(0, 2, len(often)))
    _wish(rows, "wf", "frequency", values, ids, often, _later(rows, asked_s, often, rng))
    picky = np.flatnonzero(p.agrees_to_mail & (rng.random(n) < LISTS_TOPICS))
    chosen = ('[\\"offers\\"]', '[\\"news\\",\\"offers\\"]', '[\\"advice\\"]', '[\\"events\\",\\"advice\\"]')
    values = take(chosen, rng.integers(0, len(chosen), len(picky)))
    _wish(rows, "wt", "topics", values, ids, picky, _later(rows, asked_s, picky, rng))


def _wish(
    rows: Rows, kind: str, name: str, values: pa.Array, ids: Identifiers, at: Ints, when_s: Floats
) -> None:
    who = pa.array(at)
    told = json_object(text_member("name", np.full(len(at), name)), join('"value":"', values, '"'))
    rows.add(kind, "preference_stated", when_s, ids.email.take(who), properties=told)


def _later(rows: Rows, asked_s: Floats, at: Ints, rng: np.random.Generator) -> Floats:
    """Some time between the answer and the end, sooner rather than later."""
    left = np.maximum(rows.when.end_s - asked_s[at] - DAY_S, 60.0)
    when_s: Floats = asked_s[at] + 3600 + left * rng.beta(1.2, 2.0, len(at))
    return when_s


def _add(
    rows: Rows, kind: str, state: str, purpose: str, channel: str, identifier: pa.Array, at: Ints,
    when_s: Floats, how: str, shown: str, *, wording: pa.Array | None = None,
) -> None:  # fmt: skip
    n, who = len(at), pa.array(at)
    told = {"purpose": purpose, "channel": channel, "how": how, "shown": shown}
    members = [text_member(key, np.full(n, value)) for key, value in told.items() if value]
    if wording is not None:
        members.append(text_member("wording", wording.take(who)))
    rows.add(f"k{kind}", f"consent_{state}", when_s, identifier.take(who), properties=json_object(*members))


def write_wordings() -> None:
    """The words of the newsletter form, so that a grant's evidence can be read; once in a data folder."""
    from rapport.consent import selectors, services

    if not selectors.wordings("marketing"):
        for language, text in WORDINGS.items():
            services.add_wording("marketing", language, text, by="demo", version=f"{language}-1")
