"""What models and staff say of texts, in the reader's words; the words that decided, marked in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.insights import selectors as insights
from rapport.kit.texts import tokens
from rapport.web.components import formats, words

NAMES: dict[str, Any] = {
    "language": gettext_lazy("Language"),
    "sentiment": gettext_lazy("Sentiment"),
    "intent": gettext_lazy("Intent"),
    "emotion": gettext_lazy("Emotion"),
    "urgency": gettext_lazy("Urgency"),
    "offensive": gettext_lazy("Offensive"),
    "help_request": gettext_lazy("Request for help"),
    "aspect": gettext_lazy("Aspect"),
    "contact_reason": gettext_lazy("Contact reason"),
}
LABELS: dict[tuple[str, str], tuple[Any, str]] = {
    ("intent", "question"): (gettext_lazy("question"), ""),
    ("intent", "complaint"): (gettext_lazy("complaint"), "danger"),
    ("intent", "praise"): (gettext_lazy("praise"), "accent"),
    ("intent", "help_request"): (gettext_lazy("asks for help"), "warn"),
    ("intent", "purchase_intent"): (gettext_lazy("wants to buy"), "accent"),
    ("intent", "churn_threat"): (gettext_lazy("threatens to leave"), "danger"),
    ("intent", "spam"): (gettext_lazy("spam"), "warn"),
    ("intent", "statement"): (gettext_lazy("statement"), ""),
    ("emotion", "anger"): (gettext_lazy("anger"), "danger"),
    ("emotion", "disappointment"): (gettext_lazy("disappointment"), "danger"),
    ("emotion", "worry"): (gettext_lazy("worry"), "warn"),
    ("emotion", "joy"): (gettext_lazy("joy"), "accent"),
    ("emotion", "gratitude"): (gettext_lazy("gratitude"), "accent"),
    ("emotion", "surprise"): (gettext_lazy("surprise"), ""),
    ("emotion", "none"): (gettext_lazy("no emotion"), ""),
    ("urgency", "low"): (gettext_lazy("not urgent"), ""),
    ("urgency", "normal"): (gettext_lazy("normal urgency"), ""),
    ("urgency", "high"): (gettext_lazy("urgent"), "danger"),
    ("offensive", "yes"): (gettext_lazy("offensive"), "danger"),
    ("offensive", "no"): (gettext_lazy("not offensive"), ""),
    ("help_request", "yes"): (gettext_lazy("plainly asks for help"), "warn"),
    ("help_request", "no"): (gettext_lazy("does not plainly ask for help"), ""),
}
# Said of most texts, and then of no interest beside the others.
USUAL = {
    ("emotion", "none"),
    ("urgency", "normal"),
    ("urgency", "low"),
    ("offensive", "no"),
    ("help_request", "no"),
}
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]+|_+")


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing that is said of a text: in a word, how sure, why, and where all such texts are."""

    name: str
    text: str
    tone: str
    title: str  # who says it, how sure, and why
    url: str
    by_staff: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One label that a text may be given instead."""

    label: str
    text: str
    is_now: bool
    nth: int  # the key that chooses it; 0 for none


@dataclass(frozen=True, slots=True)
class Other:
    """Another annotation of a text and the labels it may be given."""

    name: str
    title: str
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as a line: the words themselves, what is said of it, how to say otherwise."""

    seq: int
    subject: int
    at: Any
    event: str
    icon: str
    where: str
    marked: SafeString
    chips: list[Chip]
    reason: str  # of what is looked at
    name: str  # what is looked at
    title: str
    choices: list[Choice]
    others: list[Other]
    corrected: str  # who corrected what is looked at, and what the model had said
    can_undo: bool


def title(name: str) -> str:
    """What an annotation is called: of an aspect, which one."""
    given, _colon, part = name.partition(":")
    shown = str(NAMES.get(given) or words.plain(given))
    return f"{shown}: {words.plain(part).lower()}" if part else shown


def label(name: str, key: str) -> str:
    """A label in words."""
    given = name.partition(":")[0]
    if (given, key) in LABELS:
        return str(LABELS[given, key][0])
    if not key:
        return _("nothing")
    return str(words.LABELS[key][0]) if key in words.LABELS else key.replace("_", " ")


def tone(name: str, key: str) -> str:
    """The colour of a label."""
    given = name.partition(":")[0]
    if (given, key) in LABELS:
        return LABELS[given, key][1]
    return words.LABELS[key][1] if key in words.LABELS else ""


def url(name: str = "", key: str = "", **more: str) -> str:
    """The texts of which this is said."""
    asked = {k: v for k, v in {"name": name, "label": key, **more}.items() if v}
    return reverse("texts") + (f"?{urlencode(asked)}" if asked else "")


def marked(text: str, decided: Iterable[str]) -> SafeString:
    """The text with the words that decided in <mark>; they are compared as the models compare them."""
    wanted = {word for one in decided for word in one.split()}
    if not wanted:
        return format_html("{}", text)
    pieces: list[tuple[SafeString | str]] = []
    last = 0
    for found in _WORD.finditer(text):
        if not any(part in wanted for part in tokens.normal(found.group()).split()):
            continue
        pieces.append((text[last : found.start()],))
        pieces.append((format_html("<mark>{}</mark>", found.group()),))
        last = found.end()
    pieces.append((text[last:],))
    return format_html_join("", "{}", pieces)


def chip(said: insights.Said) -> Chip:
    """What is said of a text under one name."""
    sure = "" if said.probability is None or said.by else formats.percent(said.probability)
    who = _("corrected by %(who)s") % {"who": said.by} if said.by else f"{said.model} {said.version}".strip()
    aspect = said.name.partition(":")[2]
    text = label(said.name, said.label)
    return Chip(
        said.name,
        f"{words.plain(aspect).lower()}: {text}" if aspect else text,
        tone(said.name, said.label),
        ", ".join(part for part in (title(said.name), sure, who, said.reason) if part),
        url(said.name, said.label),
        bool(said.by),
    )


def shown(text: insights.Spoken, looked_at: str, labels: dict[str, Sequence[str]]) -> Shown:
    """A text as a line. `looked_at` is the annotation that is shown with its reason and corrected by one key."""
    by_name = {said.name: said for said in text.said}
    main = by_name.get(looked_at)
    event, picture = words.EVENTS.get(text.event, (words.plain(text.event), "said"))
    corrected = ""
    if main is not None and main.by:
        corrected = (
            _("%(who)s corrected it; the model had said “%(label)s”.")
            % {"who": main.by, "label": label(looked_at, main.instead_of)}
            if main.instead_of
            else _("%(who)s confirmed it.") % {"who": main.by}
        )
    return Shown(
        seq=text.seq,
        subject=text.subject,
        at=text.at,
        event=str(event),
        icon=picture,
        where=" · ".join(dict.fromkeys(p for p in (text.venue, text.channel, text.source) if p)),
        marked=marked(text.text, main.words if main else ()),
        chips=[
            chip(said)
            for said in text.said
            if (said.name, said.label) not in USUAL or said.name == looked_at or said.by
        ],
        reason=main.reason if main and not main.by else "",
        name=looked_at,
        title=title(looked_at),
        choices=_choices(looked_at, labels, main),
        others=[
            Other(name, title(name), _choices(name, labels, said))
            for name, said in by_name.items()
            if name != looked_at and labels.get(name.partition(":")[0])
        ],
        corrected=corrected,
        can_undo=bool(main and main.by),
    )


def _choices(name: str, labels: dict[str, Sequence[str]], said: insights.Said | None) -> list[Choice]:
    offered = list(labels.get(name.partition(":")[0], ()))
    if said and said.label and said.label not in offered:
        offered.append(said.label)
    return [
        Choice(key, label(name, key), bool(said and said.label == key), k if k < 10 else 0)
        for k, key in enumerate(offered, 1)
    ]
