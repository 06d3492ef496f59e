"""Rule cards in the reader's language: what a card says, and what a draft does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.venues.rules.cards import Finding, RuleCard, Tick, written_hours
from rapport.venues.selectors import CardView
from rapport.web.components import formats, inboxing

ORIGINS: dict[str, Any] = {
    "own": gettext_lazy("written here"),
    "network": gettext_lazy("as written here for the network"),
    "starting": gettext_lazy("from the published rules"),
    "cautious": gettext_lazy("cautious, since its rules are not known"),
}
LINKS: dict[str, Any] = {
    "allowed": gettext_lazy("allowed"),
    "one": gettext_lazy("one"),
    "own_none": gettext_lazy("others', not our own"),
    "none": gettext_lazy("none"),
}
DISCLOSURES: dict[str, Any] = {
    "sentence": gettext_lazy("a sentence says for whom one works"),
    "tag": gettext_lazy("the vendor's tag stands first"),
    "none": gettext_lazy("none needed: the account says it"),
}
FORBIDS: dict[str, Any] = {
    "promotion": gettext_lazy("promotion"),
    "codes": gettext_lazy("discount codes"),
    "elsewhere": gettext_lazy("leading people elsewhere"),
    "votes": gettext_lazy("asking for votes, reviews or followers"),
    "mentions": gettext_lazy("mentions of our own accounts"),
    "hashtags": gettext_lazy("tags"),
    "repeats": gettext_lazy("saying the same again"),
}
LENGTHS: dict[str, Any] = {
    "characters": gettext_lazy("characters"),
    "graphemes": gettext_lazy("characters as readers see them"),
    "mastodon": gettext_lazy("characters, an address counting as 23"),
    "x": gettext_lazy("weighted as on X"),
}


NAMES_LANGUAGES = ("language", "language_other")  # findings whose values are codes of languages


@dataclass(frozen=True, slots=True)
class Line:
    """One tick or cross of a draft, in words: what was looked at, and what was found."""

    rule: str
    title: str
    state: str
    findings: list[dict[str, Any]]


def line(tick: Tick) -> Line:
    """One rule of the card as a screen shows it."""
    return Line(tick.rule, _(tick.title), tick.state, [_said(finding) for finding in tick.findings])


def _said(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "is_forbidden": finding.is_forbidden,
        "message": filled(finding.said, finding),
        "hint": filled(finding.hint_said, finding),
    }


def filled(sentence: str, finding: Finding) -> str:
    """A sentence in the reader's language; translated before it is filled. Of nothing, gettext gives its own head."""
    values = dict(finding.values)
    if finding.code in NAMES_LANGUAGES:
        values = {
            name: ", ".join(inboxing.language(code) for code in str(codes).split(", "))
            for name, codes in values.items()
        }
    return _(sentence).format(**values) if sentence else ""


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a card: a label and what holds."""

    label: str
    value: str


def said(card: RuleCard) -> list[Said]:
    """What a card asks for, line by line."""
    lines = [
        Said(
            _("Answers"),
            _("only when somebody asks") if card.reply_only_when_asked else _("also when nobody asks"),
        ),
        Said(_("Links"), str(LINKS[card.links])),
        Said(_("Says who speaks"), str(DISCLOSURES["tag" if card.must_tag_vendor else card.disclosure_as])),
    ]
    if card.help_to_promotion:
        ratio = _("%(n)s helpful answers for each that promotes") % {"n": f"{card.help_to_promotion:g}"}
        lines.append(Said(_("Help to promotion"), ratio))
    if card.forbids:
        lines.append(Said(_("Not allowed"), ", ".join(str(FORBIDS[what]) for what in card.forbids)))
    if card.length_max:
        lines.append(Said(_("Length"), f"{formats.number(card.length_max)} {LENGTHS[card.length_as]}"))
    if card.languages:
        lines.append(Said(_("Languages"), ", ".join(card.languages)))
    if card.forms_of_address:
        forms = ", ".join(f"{language}: {form}" for language, form in sorted(card.forms_of_address.items()))
        lines.append(Said(_("Form of address"), forms))
    if card.hours:
        lines.append(Said(_("Hours"), f"{written_hours(card.hours)} ({card.zone})"))
    if card.tone:
        lines.append(Said(_("Tone"), card.tone))
    return lines


def origin(view: CardView) -> str:
    """Where a card comes from, in words."""
    if view.origin == "starting" and view.card.source and view.card.read_on is None:
        return _("a summary that nobody has checked at its source yet")
    return str(ORIGINS[view.origin])
