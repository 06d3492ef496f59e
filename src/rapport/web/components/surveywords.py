"""What staff read about surveys: states, kinds of question, logic as sentences, what is missing."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rapport.surveys import rules
from rapport.surveys.rules import text_in
from rapport.surveys.rules.conditions import ANSWER
from rapport.web.components import formats, words

STATES: dict[str, tuple[Any, str]] = {
    "draft": (gettext_lazy("draft"), ""),
    "published": (gettext_lazy("open"), "accent"),
    "paused": (gettext_lazy("paused"), "warn"),
    "closed": (gettext_lazy("closed"), ""),
    "not_open_yet": (gettext_lazy("not begun"), "warn"),
    "over": (gettext_lazy("over"), ""),
}

KINDS: dict[str, Any] = {
    "single": gettext_lazy("One of several"),
    "multiple": gettext_lazy("Several of several"),
    "scale": gettext_lazy("Scale"),
    "nps": gettext_lazy("NPS: recommend, 0 to 10"),
    "csat": gettext_lazy("CSAT: satisfied, 1 to 5"),
    "ces": gettext_lazy("CES: easy, 1 to 7"),
    "open": gettext_lazy("In one's own words"),
    "date": gettext_lazy("Date"),
    "number": gettext_lazy("Number"),
}

OPERATORS: dict[str, Any] = {
    "one_of": gettext_lazy("is one of"),
    "none_of": gettext_lazy("is none of"),
    "at_least": gettext_lazy("is at least"),
    "at_most": gettext_lazy("is at most"),
    "known": gettext_lazy("was given"),
    "unknown": gettext_lazy("was not given"),
}

STARTERS: dict[str, tuple[Any, Any]] = {
    "nps": (
        gettext_lazy("Recommend (NPS)"),
        gettext_lazy("How likely somebody is to recommend you, and why."),
    ),
    "csat": (
        gettext_lazy("Satisfied with an order (CSAT)"),
        gettext_lazy("How an order was; those it went wrong for are asked what."),
    ),
    "ces": (gettext_lazy("How easy it was (CES)"), gettext_lazy("After help was given: was it easy to get?")),
    "fit": (
        gettext_lazy("What would they miss (product fit)"),
        gettext_lazy("For those who use a product: how they would feel without it."),
    ),
    "registration": (
        gettext_lazy("Get to know somebody, a step at a time"),
        gettext_lazy("Asks one thing that is not known yet, and gives something for it at once."),
    ),
    "blank": (gettext_lazy("From scratch"), gettext_lazy("No question yet.")),
}

PLACES: dict[str, Any] = {
    "link": gettext_lazy("by link"),
    "site": gettext_lazy("on the site"),
    "mail": gettext_lazy("by mail"),
}

GIVES: dict[str, Any] = {
    "text": gettext_lazy("A text"),
    "link": gettext_lazy("A link, such as to a guide or a voucher"),
    "result": gettext_lazy("How others answered"),
}

WITHHELD: dict[str, Any] = {
    "no_consent": gettext_lazy("have not allowed research by mail"),
    "recontact": gettext_lazy("were asked by a survey lately"),
    "asked_before": gettext_lazy("were asked by this survey already"),
    "not_in_sample": gettext_lazy("are not in the sample"),
    "suppressed": gettext_lazy("must not be written to"),
    "holdout": gettext_lazy("are held out for comparison"),
    "not_set_up": gettext_lazy("could not be written to: mail is not set up"),
    "no_channel": gettext_lazy("could not be written to: mail is not set up"),
}


def state(row: Any) -> tuple[str, str]:
    """How a survey stands, and the tone of its chip."""
    label, tone = STATES.get(row.closed or row.state, (row.state, ""))
    return str(label), tone


def title(definition_title: rules.Texts, language: str, slug: str) -> str:
    """A survey's name on the screens: its title in the language it is written in, else its address."""
    return text_in(definition_title, language) or slug


def asked(question: rules.Question, survey: rules.Definition) -> str:
    """A question in short."""
    text = text_in(question.text, survey.main_language, survey.main_language) or question.key
    return text if len(text) < 90 else f"{text[:88]}…"


def condition(one: rules.Condition, survey: rules.Definition) -> str:
    """A condition as the end of a sentence that begins with `if`."""
    operator = str(OPERATORS.get(one.operator, one.operator))
    question = survey.question(one.name) if one.about == ANSWER else None
    if one.about == ANSWER:
        what = (
            _("the answer to “%(question)s”") % {"question": asked(question, survey)}
            if question
            else _("the answer to a question that is gone (%(key)s)") % {"key": one.name}
        )
    else:
        what = _("what we know as “%(trait)s”") % {"trait": words.trait(one.name)}
    if not one.values:
        return f"{what} {operator}"
    choices = {c.key: c for c in getattr(question, "choices", ())}
    named = [text_in(choices[v].text, survey.main_language) if v in choices else v for v in one.values]
    return f"{what} {operator} {', '.join(f'“{v}”' for v in named)}"


def all_of(conditions: tuple[rules.Condition, ...], survey: rules.Definition) -> str:
    """Conditions joined by and."""
    return _(" and ").join(condition(c, survey) for c in conditions)


def logic(question: rules.Question, survey: rules.Definition) -> list[str]:
    """What decides whether a question is asked, and where its answer leads, as sentences."""
    said = []
    if question.show_if:
        said.append(_("Asked only if %(conditions)s.") % {"conditions": all_of(question.show_if, survey)})
    if question.trait:
        said.append(
            _("Asked only of those of whom “%(trait)s” is not known; the answer becomes a trait.")
            % {"trait": words.trait(question.trait)}
        )
    for jump in question.jumps:
        target = survey.question(jump.to)
        to = {
            rules.END: _("the end"),
            rules.SCREEN_OUT: _("the page that says the survey is not for them"),
        }.get(jump.to) or (f"“{asked(target, survey)}”" if target else _("a question that is gone"))
        if jump.when:
            said.append(
                _("If %(conditions)s, go on to %(to)s.") % {"conditions": all_of(jump.when, survey), "to": to}
            )
        else:
            said.append(_("Then go on to %(to)s, whatever was answered.") % {"to": to})
    return said


def problem(one: rules.Problem, survey: rules.Definition) -> str:
    """What is missing, and what to do about it."""
    question = survey.question(one.question) if one.question else None
    about = {"about": one.about, "name": words.trait(one.about) if one.about else ""}
    of = survey.question(one.about)
    about["other"] = asked(of, survey) if of else one.about
    text = {
        "no_title": _("The title is missing in: %(about)s."),
        "no_questions": _("There is no question yet. Add one."),
        "no_text": _("The question's text is missing in: %(about)s."),
        "no_choice": _("A choice has no text in: %(about)s."),
        "few_choices": _("It needs two choices at least."),
        "bad_scale": _("Its scale must go up, over 20 numbers at most."),
        "bad_trait": _("“%(about)s” cannot name a trait. Use small letters, digits and _."),
        "gives_nothing": _(
            "It asks something about the person and gives nothing for it. Say what they get at once."
        ),
        "no_gives": _("What it gives has no text in: %(about)s."),
        "bad_link": _("The link that it gives is not an address. It begins with https://."),
        "no_result": _("It promises to show how others answered, but not of which question."),
        "no_value": _("A condition says nothing to compare with."),
        "condition_gone": _("A condition leans on a question that was removed (%(about)s)."),
        "condition_later": _("A condition leans on “%(other)s”, which comes on the same page or later."),
        "value_gone": _("A condition asks for an answer that is not offered: %(about)s."),
        "jump_back": _("It leads back, or to its own page. Lead on to a later question, or to the end."),
        "unreachable": _("No way leads to it. Change what is skipped before it."),
        "quota_limit": _("The quota “%(about)s” leaves nobody in. Allow one at least."),
        "no_screened_out": _("What those read whom it is not for is missing in: %(about)s."),
        "no_incentive": _("What is promised for taking part has no text in: %(about)s."),
    }[one.code] % about
    return f"“{asked(question, survey)}”: {text}" if question else text


def withheld(reason: str, n: int) -> str:
    """How many are not asked, and why."""
    label = WITHHELD.get(reason)
    if label is None:
        return _("%(people)s: the send pipeline says %(reason)s") % {
            "people": formats.people(n),
            "reason": words.plain(reason),
        }
    return f"{formats.people(n)} {label}"


def n_questions(n: int) -> str:
    """A count of questions in words."""
    return ngettext("%(n)s question", "%(n)s questions", n) % {"n": formats.number(n)}
