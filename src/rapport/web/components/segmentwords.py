"""What staff read about segments: what events, traits and scores are called, and rules as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.events import plan
from rapport.segments import rules
from rapport.segments.rules import explaining, saying, tree
from rapport.segments.rules.catalogue import LABEL, SCORE, TRAIT, Catalogue, Column, Counted
from rapport.web.components import consenting, formats, segmentrows, words

FIELDS: dict[str, Any] = {
    "country": gettext_lazy("Country"),
    "language": gettext_lazy("Language"),
    "kind": gettext_lazy("Kind"),
    "first_seen": gettext_lazy("First seen"),
    "last_seen": gettext_lazy("Last seen"),
}

DIMENSIONS: dict[str, Any] = {
    "items.category": gettext_lazy("Category"),
    "reason": gettext_lazy("Reason"),
    "query": gettext_lazy("Search words"),
    "campaign": gettext_lazy("Campaign"),
    "survey": gettext_lazy("Survey"),
    "space": gettext_lazy("Space"),
    "purpose": gettext_lazy("Purpose"),
    "kind": gettext_lazy("Kind"),
    "name": gettext_lazy("Name"),
    "path": gettext_lazy("Page"),
    "bot": gettext_lazy("Machine"),
    "choice": gettext_lazy("Choice"),
    "segment": gettext_lazy("Segment"),
}

NAMESPACES: dict[str, Any] = {
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Telephone"),
    "customer": gettext_lazy("Customer number"),
    "loyalty": gettext_lazy("Loyalty card"),
}

UNITS: dict[str, Any] = {
    "days": gettext_lazy("days"),
    "orders": gettext_lazy("orders"),
    "points": gettext_lazy("points"),
}


def event(one: Counted) -> str:
    """What kind of thing happened."""
    return words.event_label(one.name)


def trait(column: Column) -> str:
    """What an attribute is called."""
    name = column.name.removeprefix(TRAIT)
    return str(words.TRAITS[name]) if name in words.TRAITS else column.title or words.plain(name)


def score(catalogue: Catalogue, name: str) -> str:
    """What a model's figure is called."""
    if name in words.SCORES:
        return str(words.SCORES[name])
    columns = (catalogue.columns.get(prefix + name) for prefix in (SCORE, LABEL))
    return next((c.title for c in columns if c and c.title), "") or words.plain(name)


def label(key: str) -> str:
    """A model's word for a text."""
    return str(words.LABELS[key][0]) if key in words.LABELS else words.plain(key)


def dimension(event_name: str) -> str:
    """By what an event is told apart, or nothing."""
    planned = plan.current().get(event_name)
    by = planned.counted_by if planned else ""
    return str(DIMENSIONS.get(by, words.plain(by.rpartition(".")[2]))) if by else ""


def namespace(key: str) -> str:
    """What an identifier of this kind is called."""
    return str(NAMESPACES.get(key, words.plain(key)))


def unit(key: str) -> str:
    """A unit after a number; those that say nothing are left out."""
    return "" if key in words.BARE_UNITS else str(UNITS.get(key, key.replace("_", " ")))


# ---- sentences ----------------------------------------------------------------------------------------


def reader(catalogue: Catalogue, currency: str) -> saying.Words:
    """How the reader calls what a rule may name."""
    titles: dict[str, str] = {}
    titles |= {f"trait:{c.name.removeprefix(TRAIT)}": trait(c) for c in catalogue.traits}
    names = {c.partition(":")[2] for c in catalogue.columns if c.startswith((SCORE, LABEL))}
    titles |= {f"score:{name}": score(catalogue, name) for name in names}
    titles |= {f"event:{k}": event(e) for k, e in catalogue.events.items() if k not in saying.DEEDS}
    titles |= {f"segment:{key}": title for key, title in catalogue.segments.items()}
    titles |= {f"purpose:{key}": title for key, title in catalogue.purposes.items()}
    titles |= {f"channel:{key}": str(c) for key, c in consenting.CHANNELS.items()}
    titles |= {f"identifier:{key}": namespace(key) for key in catalogue.namespaces}
    titles |= {f"annotation:{key}": words.plain(key) for key in catalogue.annotations}
    return saying.Words(_, formats.day_text, currency, titles)


def condition(asked: rules.Condition, catalogue: Catalogue, said: saying.Words) -> str:
    """One condition as a statement; figures of models in their unit."""
    if isinstance(asked, tree.Score) and isinstance(asked.test, tree.Comparison):
        column = catalogue.columns.get(SCORE + asked.name)
        value = saying.compared(asked.test, said, _figure(column.unit if column else "", said))
        return _("%(what)s is %(value)s") % {"what": score(catalogue, asked.name), "value": value}
    return _capital(saying.condition(asked, said))


def found(line: explaining.Line, catalogue: Catalogue, said: saying.Words) -> str:
    """What is known of somebody where a condition asks; figures of models in their unit."""
    if isinstance(line.part, tree.Score) and isinstance(line.part.test, tree.Comparison):
        column = catalogue.columns.get(SCORE + line.part.name)
        try:
            figure = float(line.found.replace(",", ""))
        except ValueError:
            return line.found
        return _figure(column.unit if column else "", said)(figure)
    return line.found


def _figure(in_unit: str, said: saying.Words) -> Callable[[float], str]:
    after = "%" if segmentrows.share(in_unit) else segmentrows.currency_of(in_unit, said.currency)
    after = after or unit(in_unit)
    shows = segmentrows.writer(in_unit, said.currency)
    return lambda n: f"{shows(n)}{formats.NBSP + after if after else ''}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a rule: a condition, or how the lines below hold together."""

    text: str
    below: tuple[Said, ...] = ()
    part: rules.Rule | None = None
    at: str = ""  # its place in the JSON document


def lines(rule: rules.Rule, catalogue: Catalogue, currency: str) -> Said:
    """The rule line by line."""
    return _line(rule, catalogue, reader(catalogue, currency), "$")


def _line(rule: rules.Rule, catalogue: Catalogue, said: saying.Words, at: str) -> Said:
    match rule:
        case tree.All(()):
            return Said(_("Everybody"), part=rule, at=at)
        case tree.Any(()):
            return Said(_("Nobody"), part=rule, at=at)
        case tree.All(of):
            below = tuple(_line(p, catalogue, said, f"{at}.all[{n}]") for n, p in enumerate(of))
            return below[0] if len(of) == 1 else Said(_("All of these hold"), below, rule, at)
        case tree.Any(of):
            below = tuple(_line(p, catalogue, said, f"{at}.any[{n}]") for n, p in enumerate(of))
            return below[0] if len(of) == 1 else Said(_("At least one of these holds"), below, rule, at)
        case tree.Not(of):
            inner = _line(of, catalogue, said, f"{at}.not")
            if isinstance(of, tree.Any) and inner.below:
                return Said(_("None of these holds"), inner.below, rule, at)
            return Said(_("This does not hold"), (inner,), rule, at)
        case _:
            return Said(condition(rule, catalogue, said), part=rule, at=at)


def sentence(rule: rules.Rule, catalogue: Catalogue, currency: str) -> str:
    """The whole rule as one sentence."""
    return _capital(saying.sentence(rule, reader(catalogue, currency)))


def walk(said: Said) -> Iterator[Said]:
    """A line and every line below it."""
    yield said
    for one in said.below:
        yield from walk(one)
