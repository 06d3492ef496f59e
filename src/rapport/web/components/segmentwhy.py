"""Why somebody is in a segment or not: every line of its rule ticked or crossed, with what is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from rapport.consent.services import Warrant
from rapport.kit.errors import Invalid, NotFound, RapportError
from rapport.people import selectors as people
from rapport.segments import rules, selectors
from rapport.segments.rules import saying, tree
from rapport.segments.rules.explaining import Line as Explained
from rapport.web.components import segmentwords
from rapport.web.components.segmentcontrols import Offer
from rapport.web.errors import sentence


@dataclass(frozen=True, slots=True)
class WhyLine:
    """One line of a rule, whether it holds for somebody, and what is known."""

    text: str
    holds: bool
    known: str
    below: list[WhyLine]


@dataclass(frozen=True, slots=True)
class Why:
    """Whether somebody is in, line by line."""

    id: int
    name: str
    is_in: bool
    line: WhyLine | None
    note: str = ""


def asked_why(offered: Offer, rule: rules.Rule, given: Warrant, who: str | None) -> dict[str, Any]:
    """What the fragment that says why shows: the answer, or what to ask instead."""
    if not who or not who.strip():
        return {"why": None, "why_wrong": _("Type whom to look for.") if who is not None else ""}
    try:
        return {"why": why(offered, rule, given, who)}
    except RapportError as error:
        return {"why": None, "why_wrong": f"{sentence(error.message)} {sentence(error.hint)}"}


def why(offered: Offer, rule: rules.Rule, given: Warrant, who: str) -> Why:
    """Whether a rule holds for somebody, line by line. Raises NotFound for nobody, Invalid for several."""
    person = person_meant(who)
    said = segmentwords.reader(offered.catalogue, offered.currency)
    found = selectors.explain(rule, person.id, given, said)
    if found.line is None:
        note = _(
            "No rule is asked of this person: they refuse the purpose, or are not somebody we know by name."
        )
        return Why(person.id, person.display_name, is_in=False, line=None, note=note)
    return Why(person.id, person.display_name, found.is_in, _why_line(found.line, offered, said))


def person_meant(who: str) -> people.PersonRow:
    """The person whom somebody means by an identifier, a number, an address or a name."""
    try:
        found = people.person_rows([people.person_id(who.strip())])
    except RapportError:
        found = []
    if not found:
        found = [match.person for match in people.search(who.strip(), 2)]
    if not found:
        raise NotFound(
            _("nobody is known as “%(who)s”") % {"who": who},
            _("Type an e-mail address, a customer number such as customer:1042, or a name."),
        )
    if len(found) > 1:
        raise Invalid(
            _("several people are known as “%(who)s”") % {"who": who},
            _("Type an identifier, such as email:ana@example.org."),
        )
    return found[0]


def _why_line(line: Explained, offered: Offer, said: saying.Words) -> WhyLine:
    below = [_why_line(one, offered, said) for one in line.below]
    match line.part:
        case tree.All(()) | tree.Any(()):
            text = _("Everybody") if line.holds else _("Nobody")
        case tree.All() | tree.Any() if len(below) == 1:
            return below[0]
        case tree.All():
            text = _("All of these hold")
        case tree.Any():
            text = _("At least one of these holds")
        case tree.Not(tree.Any(of)) if len(of) > 1:
            text, below = _("None of these holds"), below[0].below
        case tree.Not():
            text = _("This does not hold")
        case asked:
            text = segmentwords.condition(asked, offered.catalogue, said)
    return WhyLine(text, line.holds, segmentwords.found(line, offered.catalogue, said), below)
