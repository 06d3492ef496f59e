"""What a rule says in plain words, as a screen or a report shows it.

English here; a face hands in `translate`, and every pattern is marked for translation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rapport.kit import money
from rapport.segments.rules import tree


def gettext_noop(text: str) -> str:
    """Mark a text for translation; Django's own would make these rules import Django."""
    return text


_ = gettext_noop


@dataclass(frozen=True, slots=True)
class Words:
    """How the one who reads calls things: their language, their money, titles of what has a key."""

    translate: Callable[[str], str] = str
    day: Callable[[dt.date], str] = dt.date.isoformat
    currency: str = ""  # ISO 4217; empty: the figure alone
    titles: Mapping[str, str] = field(
        default_factory=dict
    )  # by `trait:plan`, `segment:winter`, `event:x` ...

    def title(self, kind: str, key: str) -> str:
        return self.titles.get(f"{kind}:{key}") or key.replace("_", " ")

    def say(self, pattern: str, /, **values: object) -> str:
        return self.translate(pattern) % values if values else self.translate(pattern)

    def money(self, minor: float) -> str:
        return str(money.Money(int(minor), self.currency)).strip()


ENGLISH = Words()

# How an event is told of a person who did it, and of one who did not.
DEEDS: Mapping[str, tuple[str, str]] = {
    "order_placed": (_("bought"), _("bought nothing")),
    "order_refunded": (_("got money back"), _("got no money back")),
    "page_viewed": (_("looked at a page"), _("looked at no page")),
    "screen_viewed": (_("looked at a screen of the app"), _("looked at no screen of the app")),
    "link_clicked": (_("followed a link"), _("followed no link")),
    "form_sent": (_("sent a form"), _("sent no form")),
    "site_searched": (_("searched on the site"), _("searched nothing on the site")),
    "post_published": (_("wrote in public"), _("wrote nothing in public")),
    "message_received": (_("wrote to us"), _("did not write to us")),
    "message_sent": (_("got a message"), _("got no message")),
    "message_opened": (_("opened a message"), _("opened no message")),
    "message_clicked": (_("followed a link in a message"), _("followed no link in a message")),
    "message_unsubscribed": (_("asked for no more messages"), _("did not ask for no more messages")),
    "survey_answered": (_("answered a question"), _("answered no question")),
    "complaint_raised": (_("complained"), _("did not complain")),
    "segment_entered": (_("entered a segment"), _("entered no segment")),
    "segment_left": (_("left a segment"), _("left no segment")),
    "referral_made": (_("recommended us"), _("recommended us to nobody")),
}


def sentence(rule: tree.Rule, words: Words = ENGLISH) -> str:
    """The whole rule as one text; brackets where parts are nested."""
    match rule:
        case tree.All(()):
            return words.say(_("everybody"))
        case tree.Any(()):
            return words.say(_("nobody"))
        case tree.All(of):
            between = words.say(_("and"))
            return f" {between} ".join(_inside(part, words) for part in of)
        case tree.Any(of):
            between = words.say(_("or"))
            return f" {between} ".join(_inside(part, words) for part in of)
        case tree.Not(of):
            other = turned(of)
            return (
                condition(other, words) if other else words.say(_("not: %(what)s"), what=_inside(of, words))
            )
        case _:
            return condition(rule, words)


def turned(rule: tree.Rule) -> tree.Condition | None:
    """The condition that says the opposite, where there is one."""
    match rule:
        case tree.Identifier(namespace, known):
            return tree.Identifier(namespace, not known)
        case tree.Consent(purpose, channel, allowed):
            return tree.Consent(purpose, channel, not allowed)
        case tree.Segment(key, member):
            return tree.Segment(key, not member)
        case tree.Behaviour(act, tree.Did(did), when):
            return tree.Behaviour(act, tree.Did(not did), when)
        case tree.Annotated(name, label, tree.Did(did), when):
            return tree.Annotated(name, label, tree.Did(not did), when)
        case tree.Trait(name, tree.Known(known)):
            return tree.Trait(name, tree.Known(not known))
        case tree.Field(name, tree.Known(known)):
            return tree.Field(name, tree.Known(not known))
        case tree.Score(name, tree.Known(known)):
            return tree.Score(name, tree.Known(not known))
        case _:
            return None


def _inside(part: tree.Rule, words: Words) -> str:
    text = sentence(part, words)
    return f"({text})" if isinstance(part, tree.All | tree.Any) and len(part.of) > 1 else text


def condition(asked: tree.Condition, words: Words = ENGLISH) -> str:
    """One condition as a statement about a person."""
    match asked:
        case tree.Trait(name, test):
            return _tested(words.title("trait", name), test, words)
        case tree.Field(name, test):
            return _tested(words.say(_FIELDS[name]), test, words)
        case tree.Identifier(namespace, known):
            pattern = _("has %(what)s") if known else _("has no %(what)s")
            return words.say(pattern, what=words.title("identifier", namespace))
        case tree.Consent():
            return _consent(asked, words)
        case tree.Score(name, test):
            return _tested(words.title("score", name), test, words)
        case tree.Behaviour():
            return behaviour(asked, words)
        case tree.Annotated():
            return _annotated(asked, words)
        case tree.Segment(key, member):
            pattern = _("is in the segment “%(what)s”") if member else _("is not in the segment “%(what)s”")
            return words.say(pattern, what=words.title("segment", key))


_FIELDS = {
    "country": _("country"),
    "language": _("language"),
    "kind": _("kind"),
    "first_seen": _("first seen"),
    "last_seen": _("last seen"),
}


def _consent(asked: tree.Consent, words: Words) -> str:
    purpose = words.title("purpose", asked.purpose)
    if asked.channel:
        pattern = (
            _("“%(what)s” is allowed by %(channel)s")
            if asked.allowed
            else _("“%(what)s” is not allowed by %(channel)s")
        )
        return words.say(pattern, what=purpose, channel=words.title("channel", asked.channel))
    pattern = _("“%(what)s” is allowed") if asked.allowed else _("“%(what)s” is not allowed")
    return words.say(pattern, what=purpose)


def behaviour(asked: tree.Behaviour, words: Words = ENGLISH) -> str:
    """What was done, how often and when."""
    act, measure = asked.act, asked.measure
    if isinstance(measure, tree.Did):
        done, dimension = _deed(act, words, did=measure.did)
        return _joined(done, dimension, window(asked.window, words))
    done, dimension = _deed(act, words)
    if isinstance(measure, tree.Edge):
        pattern = (
            _("%(done)s for the first time %(when)s")
            if measure.end == "first"
            else _("%(done)s for the last time %(when)s")
        )
        when = window(measure.window, words) or words.say(_("ever"))
        return words.say(pattern, done=_joined(done, dimension), when=when)
    if isinstance(measure, tree.Then):
        return _joined(_then(measure, _joined(done, dimension), words), window(asked.window, words))
    if isinstance(measure, tree.Money):
        amount = compared(measure.test, words, words.money)
        how = words.say(_("for %(amount)s in all"), amount=amount)
    else:
        pattern = _("on %(count)s days") if measure.of_days else _("%(count)s times")
        how = words.say(pattern, count=compared(measure.test, words))
    return _joined(done, dimension, how, window(asked.window, words))


def _then(measure: tree.Then, done: str, words: Words) -> str:
    after = _joined(*_deed(measure.act, words))
    if measure.within_days is None:
        return words.say(_("%(done)s and later %(after)s"), done=done, after=after)
    if measure.within_days == 0:
        return words.say(_("%(done)s and later the same day %(after)s"), done=done, after=after)
    return words.say(
        _("%(done)s and within %(days)d days %(after)s"), done=done, after=after, days=measure.within_days
    )


def _deed(act: tree.Act, words: Words, *, did: bool = True) -> tuple[str, str]:
    told = DEEDS.get(act.event)
    if told and f"event:{act.event}" not in words.titles:
        done = words.say(told[0] if did else told[1])
    else:
        pattern = _("has “%(what)s”") if did else _("has no “%(what)s”")
        done = words.say(pattern, what=words.title("event", act.event))
    return done, words.say(_("of “%(what)s”"), what=act.dimension) if act.dimension else ""


def _annotated(asked: tree.Annotated, words: Words) -> str:
    name = words.title("annotation", asked.name)
    what = f"{name} {asked.label}" if asked.label else name
    if isinstance(asked.measure, tree.Did):
        pattern = (
            _("wrote something with “%(what)s”") if asked.measure.did else _("wrote nothing with “%(what)s”")
        )
        return _joined(words.say(pattern, what=what), window(asked.window, words))
    text = words.say(
        _("wrote %(count)s times something with “%(what)s”"),
        count=compared(asked.measure.test, words),
        what=what,
    )
    return _joined(text, window(asked.window, words))


def _tested(what: str, test: tree.Test, words: Words) -> str:
    match test:
        case tree.Is(True):
            return words.say(_("%(what)s: yes"), what=what)
        case tree.Is(False):
            return words.say(_("%(what)s: no"), what=what)
        case tree.Is(value):
            return words.say(_("%(what)s is “%(value)s”"), what=what, value=value)
        case tree.In(values):
            listed = ", ".join(f"“{value}”" for value in values)
            return words.say(_("%(what)s is one of %(values)s"), what=what, values=listed)
        case tree.Contains(value, at_start):
            pattern = (
                _("%(what)s begins with “%(value)s”") if at_start else _("%(what)s contains “%(value)s”")
            )
            return words.say(pattern, what=what, value=value)
        case tree.Comparison():
            return words.say(_("%(what)s is %(value)s"), what=what, value=compared(test, words))
        case tree.When(stretch):
            when = window(stretch, words) or words.say(_("ever"))
            return words.say(_("%(what)s %(when)s"), what=what, when=when)
        case tree.Anniversary(days):
            pattern = (
                _("%(what)s comes round today")
                if days == 1
                else _("%(what)s comes round in the next %(days)d days")
            )
            return words.say(pattern, what=what, days=days)
        case tree.Known(known):
            pattern = _("%(what)s is known") if known else _("%(what)s is not known")
            return words.say(pattern, what=what)


def compared(
    test: tree.Comparison, words: Words = ENGLISH, show: Callable[[float], str] | None = None
) -> str:
    """A comparison in words: `at least 2`, `between 2 and 5`."""
    shown = show or number
    if test.op == "between":
        return words.say(_("between %(low)s and %(high)s"), low=shown(test.value), high=shown(test.upto))
    return words.say(_COMPARED[test.op], number=shown(test.value))


_COMPARED = {
    "=": _("exactly %(number)s"),
    "!=": _("not %(number)s"),
    "<": _("less than %(number)s"),
    "<=": _("at most %(number)s"),
    ">": _("more than %(number)s"),
    ">=": _("at least %(number)s"),
}


def number(value: float) -> str:
    """A number without digits that say nothing."""
    return f"{int(value):,}" if value == int(value) else f"{value:,.6g}"


def window(stretch: tree.Window, words: Words = ENGLISH) -> str:
    """When, in words; empty for ever."""
    match stretch.kind:
        case "ever":
            return ""
        case "last_days" | "next_days" if stretch.days == 1:
            return words.say(_("today"))
        case "last_days":
            return words.say(_("in the last %(days)d days"), days=stretch.days)
        case "before_days" if stretch.days == 1:
            return words.say(_("before today"))
        case "before_days":
            return words.say(_("before the last %(days)d days"), days=stretch.days)
        case "next_days":
            return words.say(_("in the next %(days)d days"), days=stretch.days)
        case "between":
            assert stretch.first is not None
            assert stretch.last is not None
            if stretch.first == stretch.last:
                return words.say(_("on %(day)s"), day=words.day(stretch.first))
            return words.say(
                _("from %(first)s to %(last)s"), first=words.day(stretch.first), last=words.day(stretch.last)
            )
        case "before":
            assert stretch.last is not None
            return words.say(_("before %(day)s"), day=words.day(stretch.last + dt.timedelta(days=1)))
        case "since":
            assert stretch.first is not None
            return words.say(_("since %(day)s"), day=words.day(stretch.first))


def _joined(*pieces: str) -> str:
    return " ".join(piece for piece in pieces if piece)
