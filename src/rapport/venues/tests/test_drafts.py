"""Eight hundred drafts: no forbidden one passes, and what helps is not held up."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from rapport.venues import selectors
from rapport.venues.rules import Finding, RuleCard, VenueDraft, check, disclosed
from rapport.venues.rules.cards import from_mapping
from rapport.venues.tests.written import FIRM, drafts, spelled

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)  # a Monday
SAID_BEFORE = ("We have looked at this, and the reason is always the fuse under the dash of the car.",)
FORUM = RuleCard("discourse:forum.example", forbids=("promotion", "codes", "elsewhere", "votes", "mentions"))
OTHERS = {
    "forum_de": replace(FORUM, languages=("de",), forms_of_address={"de": "du"}),
    "laden_de": replace(FORUM, languages=("de",), forms_of_address={"de": "Sie"}),
    "forum_fr": replace(FORUM, languages=("fr",), forms_of_address={"fr": "vous"}),
    "forum_es": replace(FORUM, languages=("es",), forms_of_address={"es": "tú"}),
    "forum_it": replace(FORUM, languages=("it",), forms_of_address={"it": "tu"}),
    "forum_pt": replace(FORUM, languages=("pt",), forms_of_address={"pt": "você"}),
    "forum_nl": replace(FORUM, languages=("nl",), forms_of_address={"nl": "je"}),
    "forum_pl": replace(FORUM, languages=("pl",)),
    "vendors": replace(FORUM, must_tag_vendor=True, disclosure_as="tag"),
    "evening": from_mapping({"hours": "mon-fri 18:00-22:00", "zone": "Europe/Berlin"}, on=FORUM),
    "talk": RuleCard("discourse:talk.example", disclosure_as="none", forbids=("promotion", "codes")),
    "chat_strict": replace(FORUM, forbids=("hashtags",)),
}


def card(name: str) -> RuleCard:
    if name in OTHERS:
        return OTHERS[name]
    return from_mapping(selectors.starting()[name])


def found_in(row: tuple[str, ...]) -> list[Finding]:
    _verdict, name, language, asked, _codes, text = row
    of = card(name)
    said = spelled(text.removeprefix("+"))
    if text.startswith("+"):
        said = disclosed(of, said, language, FIRM)
    draft = VenueDraft(
        said,
        language=language,
        was_asked=asked == "y",
        at=NOON,
        firm=FIRM,
        names=("ProBlade",),
        own_domains=("otter.example", "ottertools.com"),
        own_handles=("ottertools",),
        said_before=SAID_BEFORE,
    )
    return check(of, draft)


CASES = drafts()


def test_there_are_enough() -> None:
    assert len(CASES) >= 780
    assert len({row[5] for row in CASES if row[0] == "ok"}) >= 350


@pytest.mark.parametrize("verdict", ["no", "ok"])
def test_drafts(verdict: str) -> None:
    wrong = []
    for row in (row for row in CASES if row[0] == verdict):
        forbidden = [finding.code for finding in found_in(row) if finding.is_forbidden]
        if verdict == "ok" and forbidden:
            wrong.append((row[5], forbidden))
        if verdict == "no" and (row[4] not in forbidden if row[4] else not forbidden):
            wrong.append((row[5], f"{row[4]} not in {forbidden}"))
    assert not wrong, "\n".join(map(str, wrong))
