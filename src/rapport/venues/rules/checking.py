"""Every rule of a card held against a draft: all findings, each with what to do. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rapport.venues.rules import addressing, disclosing, weighing
from rapport.venues.rules.addresses import Address, addresses, mail_addresses
from rapport.venues.rules.cards import Finding, RuleCard, Tick, VenueDraft, zone
from rapport.venues.rules.counting import length
from rapport.venues.rules.folding import Folded, folded, letters, plain
from rapport.venues.rules.promoting import Promoting, promoting
from rapport.venues.rules.saying import gettext_noop as _
from rapport.venues.rules.weighing import Weighed

SAME_WORDS = 0.9  # of the words of the shorter text: as many in common make it the same once more,
LONGER = 1.6  # where the other is not much longer; the disclosure may stand in one of them alone
WORDS_MIN = 8  # shorter texts, such as thanks, are alike by themselves
SHOUTED_LETTERS = 20
HASHTAGS_MAX = 2


@dataclass(frozen=True, slots=True)
class _Seen:
    """The draft, read once for all rules."""

    text: Folded
    language: str
    addresses: Sequence[Address]
    promoting: Sequence[Promoting]
    names: tuple[str, ...]
    weighed: Weighed | None  # None: the card lets people promote

    def of(self, *kinds: str) -> list[Promoting]:
        return [one for one in self.promoting if one.kind in kinds]


def _seen(card: RuleCard, draft: VenueDraft) -> _Seen:
    text = folded(draft.text)
    spoken = draft.language.lower().partition("-")[0] or addressing.language_of(text.seen)
    names = tuple(dict.fromkeys(name for name in (draft.firm, *draft.names) if name))
    found = promoting(text, names)
    return _Seen(
        text,
        spoken,
        addresses(text, draft.own_domains, spoken),
        found,
        names,
        _weighed(card, draft, spoken, found) if _WEIGHED.intersection(card.forbids) else None,
    )


_WEIGHED = frozenset(["promotion", "codes"])


def _weighed(card: RuleCard, draft: VenueDraft, spoken: str, found: Sequence[Promoting]) -> Weighed:
    """How much the draft promotes; who speaks is said every time, and promotes nothing."""
    said = draft.text
    if draft.firm:
        for own in (disclosing.sentence(card, spoken, draft.firm), disclosing.SHORT.format(firm=draft.firm)):
            said = said.replace(own, " ")
    names = tuple(name for name in (draft.firm, *draft.names, *draft.own_domains) if name)
    return weighing.weighed(weighing.Draft(folded(said), {one.kind for one in found}, names))


def _asked(card: RuleCard, draft: VenueDraft, _seen: _Seen) -> list[Finding]:
    if not card.reply_only_when_asked or draft.was_asked:
        return []
    return [
        Finding(
            "not_asked",
            True,
            _("Nobody asked us, and here one answers only when asked."),
            _("Leave it alone, or wait until somebody addresses us or asks everybody."),
        )
    ]


def _links(card: RuleCard, draft: VenueDraft, seen: _Seen) -> list[Finding]:
    found = []
    for address in seen.addresses:
        if address.is_shortened:
            found.append(
                Finding(
                    "link_shortened",
                    True,
                    _("The short address {address} hides where it leads."),
                    _("Write the whole address, where one is allowed."),
                    {"address": address.written},
                )
            )
        elif address.is_disguised:
            found.append(
                Finding(
                    "link_disguised",
                    True,
                    _("“{address}” is an address, written so that it does not look like one."),
                    _("Leave it out, or write it plainly where addresses are allowed."),
                    {"address": address.written},
                )
            )
    whole = list(seen.addresses)
    own = [address for address in whole if address.is_of(draft.own_domains)]
    first = {"address": (own or whole)[0].written} if whole else {}
    if card.links == "none" and whole:
        found.append(
            Finding(
                "link_forbidden",
                True,
                _("No links are allowed here: “{address}”."),
                _("Say in words what stands there."),
                first,
            )
        )
    elif card.links == "own_none" and own:
        found.append(
            Finding(
                "link_own",
                True,
                _("Our own address is not allowed here: “{address}”."),
                _("Say in words what stands there, or name a source that is not ours."),
                first,
            )
        )
    elif card.links == "one" and len(whole) > 1:
        found.append(
            Finding(
                "link_too_many",
                True,
                _("There are {n} links, and one is allowed here."),
                _("Keep the one that helps most."),
                {"n": len(whole)},
            )
        )
    return found


def _disclosure(card: RuleCard, draft: VenueDraft, seen: _Seen) -> list[Finding]:
    found = []
    if denied := disclosing.is_denied(seen.text):
        found.append(
            Finding(
                "disclosure_denied",
                True,
                _("“{words}” denies that we speak for the firm, and we do."),
                _("Take it out; say for whom you work."),
                {"words": denied},
            )
        )
    if posed := disclosing.is_posed(seen.text, seen.names):
        found.append(
            Finding(
                "posing",
                True,
                _("“{words}” sounds as if a customer spoke."),
                _("Speak as who you are: somebody who works for the firm."),
                {"words": posed},
            )
        )
    if not draft.firm:
        return found
    if disclosing.wants_tag(card) and not disclosing.has_tag(card, seen.text, draft.firm):
        found.append(
            Finding(
                "tag_missing",
                True,
                _("Vendors have to mark what they write with {tag} here."),
                _("Begin with {tag}."),
                {"tag": disclosing.tag(card, draft.firm)},
            )
        )
    if (
        card.disclosure_as == "sentence"
        and not denied
        and not disclosing.is_disclosed(card, seen.text, draft.firm, draft.names)
    ):
        found.append(
            Finding(
                "disclosure_missing",
                True,
                _("It does not say that you work for {firm}."),
                _("Add: {sentence}"),
                {"firm": draft.firm, "sentence": disclosing.sentence(card, seen.language, draft.firm)},
            )
        )
    return found


_PROMOTING = {
    "code": ("promotion_code", _("“{words}” hands out a discount code.")),
    "offer": ("promotion_offer", _("“{words}” is an offer.")),
    "call": ("promotion_call", _("“{words}” calls on people to buy or to visit us.")),
    "praise": ("promotion_praise", _("“{words}” praises what is our own.")),
}


_INSTEAD = _("Say what solves the problem, with all options, and let them choose.")
_SECOND_LOOK = _("Say it more plainly, or somebody else has to approve it before it leaves.")


def _by_weight(verdict: str, words: str) -> list[Finding]:
    """What no single word proves, and the draft as a whole makes likely."""
    if verdict == "forbidden":
        return [
            Finding("promotion_read", True, _("“{words}” reads as advertising."), _INSTEAD, {"words": words})
        ]
    if verdict == "doubted":
        return [
            Finding(
                "promotion_doubted",
                False,
                _("“{words}” could be taken for advertising."),
                _SECOND_LOOK,
                {"words": words},
                needs_second_look=True,
            )
        ]
    return []


def _promotion(card: RuleCard, draft: VenueDraft, seen: _Seen) -> list[Finding]:
    kinds = seen.of(*_PROMOTING)
    ruled = [
        one
        for one in kinds
        if "promotion" in card.forbids or (one.kind == "code" and "codes" in card.forbids)
    ]
    verdict = seen.weighed.verdict(bool(ruled)) if seen.weighed else ""
    found = [
        Finding(
            _PROMOTING[one.kind][0],
            verdict == "forbidden",
            _PROMOTING[one.kind][1],
            _INSTEAD if verdict == "forbidden" else _SECOND_LOOK,
            {"words": one.words},
            needs_second_look=verdict == "doubted",
        )
        for one in ruled
    ]
    if not ruled and "promotion" in card.forbids and seen.weighed:
        found = _by_weight(verdict, seen.weighed.words)
    if kinds and card.help_to_promotion and not found:
        wanted = card.help_to_promotion * (draft.promoting + 1)
        if draft.helpful < wanted:
            found.append(
                Finding(
                    "promotion_ratio",
                    True,
                    _(
                        "“{words}” promotes: here {ratio} helpful answers have to stand for each one that does,"
                        " and we have {helpful} for {promoting}."
                    ),
                    _("Help {missing} more times first, or take the promotion out."),
                    {
                        "words": kinds[0].words,
                        "ratio": f"{card.help_to_promotion:g}",
                        "helpful": draft.helpful,
                        "promoting": draft.promoting,
                        "missing": int(-(-(wanted - draft.helpful) // 1)),
                    },
                )
            )
        else:
            found.append(
                Finding(
                    "promotion_noted",
                    False,
                    _("“{words}” promotes, and will count as that here."),
                    "",
                    {"words": kinds[0].words},
                )
            )
    return found


def _elsewhere(card: RuleCard, draft: VenueDraft, seen: _Seen) -> list[Finding]:
    if "elsewhere" not in card.forbids:
        return []
    found = [one.words for one in seen.of("elsewhere")]
    own = [a for a in mail_addresses(seen.text) if any(a.endswith(d) for d in draft.own_domains)]
    if not found and not own:
        return []
    return [
        Finding(
            "elsewhere",
            True,
            _("“{words}” leads people away from here."),
            _("Answer here, where others with the same question can read it."),
            {"words": (found or own)[0]},
        )
    ]


def _votes(card: RuleCard, _draft: VenueDraft, seen: _Seen) -> list[Finding]:
    found = seen.of("votes")
    if "votes" not in card.forbids or not found:
        return []
    return [
        Finding(
            "votes",
            True,
            _("“{words}” asks for votes, reviews or followers."),
            _("Take it out; people do it on their own where they were helped."),
            {"words": found[0].words},
        )
    ]


_HANDLE = re.compile(r"(?<![\w@.])@\s?(?P<handle>[\w](?:[\w.-]{0,62}\w)?)(?:@[\w.-]+)?")


def _mentions(card: RuleCard, draft: VenueDraft, seen: _Seen) -> list[Finding]:
    if "mentions" not in card.forbids:
        return []
    ours = {_bare(name) for name in (*draft.own_handles, *seen.names)} | {
        _bare(domain.partition(".")[0]) for domain in draft.own_domains
    }
    ours = {name for name in ours if len(name) > 2}
    for reading in seen.text.readings:
        for m in _HANDLE.finditer(reading):
            handle = _bare(letters(m["handle"].partition(".")[0]))
            whole = _bare(letters(m["handle"]))
            if any(name in {handle, whole} or (len(name) > 3 and name in handle) for name in ours):
                return [
                    Finding(
                        "mention",
                        True,
                        _("“{words}” puts the name of our own account before people."),
                        _("Name the firm in the disclosure alone."),
                        {"words": m.group()},
                    )
                ]
    return []


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", plain(name))


def _hashtags(card: RuleCard, _draft: VenueDraft, seen: _Seen) -> list[Finding]:
    found = re.findall(r"(?<![\w&/])#(?=\w*[^\W\d_])\w+", seen.text.seen)
    if "hashtags" in card.forbids and found:
        return [
            Finding(
                "hashtags",
                True,
                _("Tags such as {tag} are not used here."),
                _("Take them out."),
                {"tag": found[0]},
            )
        ]
    if len(found) > HASHTAGS_MAX:
        return [
            Finding(
                "hashtags_many",
                False,
                _("{n} tags in one answer look like advertising."),
                _("One or two are enough."),
                {"n": len(found)},
            )
        ]
    return []


def _hours(card: RuleCard, draft: VenueDraft, _seen: _Seen) -> list[Finding]:
    if not card.hours or draft.at is None or is_open(card, draft.at):
        return []
    opens = opens_at(card, draft.at)
    local = draft.at.astimezone(zone(card.zone))
    return [
        Finding(
            "hours",
            True,
            _("It is {now} in {zone}, and that is outside the hours of this venue."),
            _("It may be said from {opens} on, in that zone."),
            {
                "now": f"{local:%a %H:%M}",
                "zone": card.zone,
                "opens": f"{opens.astimezone(zone(card.zone)):%a %d %b, %H:%M}" if opens else "",
            },
        )
    ]


def is_open(card: RuleCard, at: dt.datetime) -> bool:
    """Whether one may speak at the venue at this moment."""
    local = at.astimezone(zone(card.zone))
    return not card.hours or any(hours.holds(local) for hours in card.hours)


def opens_at(card: RuleCard, at: dt.datetime) -> dt.datetime | None:
    """When one may speak there again, looking a week ahead."""
    place = zone(card.zone)
    today = at.astimezone(place).date()
    begins = [
        dt.datetime.combine(today + dt.timedelta(days=ahead), hours.since, tzinfo=place)
        for ahead in range(8)
        for hours in card.hours
        if (today + dt.timedelta(days=ahead)).weekday() in hours.days
    ]
    return min((moment.astimezone(dt.UTC) for moment in begins if moment > at), default=None)


def _language(card: RuleCard, draft: VenueDraft, seen: _Seen) -> list[Finding]:
    said = draft.language.lower().partition("-")[0]
    read = addressing.language_of(seen.text.seen)
    spoken = tuple(language.lower().partition("-")[0] for language in card.languages)
    found = []
    for language in dict.fromkeys(one for one in (read or said,) if one):
        if spoken and language not in spoken:
            found.append(
                Finding(
                    "language",
                    True,
                    _("It is in {language}, and here people speak {languages}."),
                    _("Write it in {languages}."),
                    {"language": language, "languages": ", ".join(spoken)},
                )
            )
    if said and read and said != read and not found:
        found.append(
            Finding(
                "language_other",
                False,
                _("It reads as {read}, and the conversation is in {said}."),
                _("Check the language, or correct what the conversation says."),
                {"read": read, "said": said},
            )
        )
    return found


def _forms(card: RuleCard, _draft: VenueDraft, seen: _Seen) -> list[Finding]:
    language = addressing.language_of(seen.text.seen) or seen.language
    used = addressing.forms_used(seen.text.seen, language)
    wanted = card.forms_of_address.get(language)
    wrong = {form: word for form, word in used.items() if form != wanted}
    if wanted and wrong:
        form, word = next(iter(wrong.items()))
        return [
            Finding(
                "address_form",
                True,
                _("“{word}” says {form}, and here one says {wanted}."),
                _("Rewrite it with {wanted}."),
                {"word": word, "form": form, "wanted": wanted},
            )
        ]
    if len(used) > 1:
        return [
            Finding(
                "address_mixed",
                False,
                _("It says {forms} in one text."),
                _("Keep to one of them."),
                {"forms": ", ".join(used)},
            )
        ]
    return []


def _length(card: RuleCard, draft: VenueDraft, _seen: _Seen) -> list[Finding]:
    n = length(draft.text.strip(), card.length_as)
    if not n:
        return [Finding("empty", True, _("There is nothing in it yet."), _("Write the answer."))]
    if not card.length_max or n <= card.length_max:
        return []
    return [
        Finding(
            "length",
            True,
            _("It has {n} characters as they are counted here, and {most} are allowed."),
            _("Make it shorter by {over}."),
            {"n": n, "most": card.length_max, "over": n - card.length_max},
        )
    ]


def _hidden(_card: RuleCard, _draft: VenueDraft, seen: _Seen) -> list[Finding]:
    found = seen.text.hidden or seen.text.mixed
    if not found:
        return []
    return [
        Finding(
            "hidden_characters",
            True,
            _(
                "“{word}” holds characters that show nothing, or that only look like the letters they stand for."
            ),
            _("Type the word anew."),
            {"word": found[0]},
        )
    ]


def _privacy(_card: RuleCard, draft: VenueDraft, seen: _Seen) -> list[Finding]:
    if not draft.is_public:
        return []
    others = [
        a for a in mail_addresses(seen.text) if not any(a.endswith(d.lower()) for d in draft.own_domains)
    ]
    if others:
        return [
            Finding(
                "personal_details",
                True,
                _("“{words}” is somebody's mail address, and everybody can read it."),
                _("Take it out; ask for it in private."),
                {"words": others[0]},
            )
        ]
    if m := re.search(r"(?<![\w.])\+\d[\d ()/.-]{7,}\d|\b[A-Z]{2}\d{2}(?: ?\d{4}){3,}", seen.text.seen):
        return [
            Finding(
                "personal_number",
                False,
                _("“{words}” may be somebody's number, and everybody can read it."),
                _("Make sure that it is ours."),
                {"words": m.group()},
            )
        ]
    return []


def _repeats(card: RuleCard, draft: VenueDraft, seen: _Seen) -> list[Finding]:
    if "repeats" not in card.forbids:
        return []
    # Who speaks is said every time, and makes no two answers alike.
    same = _words(plain(disclosing.sentence(card, seen.language, draft.firm))) if draft.firm else set()
    words = _words(seen.text.plain) - same
    for before in draft.said_before:
        earlier = _words(plain(before)) - same
        fewer, more = sorted((len(words), len(earlier)))
        if fewer >= WORDS_MIN and more <= LONGER * fewer and len(words & earlier) >= SAME_WORDS * fewer:
            return [
                Finding(
                    "repeated",
                    True,
                    _("We said the same here before."),
                    _("Answer what this person asked, in words of its own."),
                )
            ]
    return []


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{2,}", text))


def _tone(_card: RuleCard, _draft: VenueDraft, seen: _Seen) -> list[Finding]:
    letters = [c for c in seen.text.seen if c.isalpha()]
    upper = sum(1 for c in letters if c.isupper())
    if len(letters) >= SHOUTED_LETTERS and upper > 0.6 * len(letters):
        return [
            Finding(
                "shouting",
                False,
                _("It is written in capitals, which reads as shouting."),
                _("Use small letters."),
            )
        ]
    if re.search(r"!{2,}|(?:![^!]{0,40}){4,}", seen.text.seen):
        return [
            Finding(
                "exclamations", False, _("So many exclamation marks read as advertising."), _("One at most.")
            )
        ]
    return []


_RULES: Sequence[tuple[str, str, Callable[[RuleCard, VenueDraft, _Seen], list[Finding]]]] = (
    ("asked", _("Asked"), _asked),
    ("disclosure", _("Says who speaks"), _disclosure),
    ("links", _("Links"), _links),
    ("promotion", _("Help, not promotion"), _promotion),
    ("elsewhere", _("Answered here"), _elsewhere),
    ("votes", _("Asks for no votes"), _votes),
    ("mentions", _("Names no account of ours"), _mentions),
    ("hashtags", _("Tags"), _hashtags),
    ("hours", _("Hours"), _hours),
    ("language", _("Language"), _language),
    ("forms", _("Form of address"), _forms),
    ("length", _("Length"), _length),
    ("hidden", _("Nothing hidden"), _hidden),
    ("privacy", _("Nobody's details"), _privacy),
    ("repeats", _("In words of its own"), _repeats),
    ("tone", _("Tone"), _tone),
)


def ticks(card: RuleCard, draft: VenueDraft) -> list[Tick]:
    """Every rule and what was found under it, in the order of a card."""
    seen = _seen(card, draft)
    return [Tick(name, title, tuple(rule(card, draft, seen))) for name, title, rule in _RULES]


def check(card: RuleCard, draft: VenueDraft) -> list[Finding]:
    """Everything that the card says about a draft, forbidden things first; empty where it may be said as it is."""
    found = [finding for tick in ticks(card, draft) for finding in tick.findings]
    return sorted(found, key=lambda finding: not finding.is_forbidden)


def is_promoting(text: str, *, firm: str = "", names: Sequence[str] = ()) -> bool:
    """Whether a text counts as promotion, for the ratio of help to promotion."""
    kinds = {one.kind for one in promoting(folded(text), tuple(n for n in (firm, *names) if n))}
    return bool(kinds & set(_PROMOTING))


def with_disclosure(card: RuleCard, draft: VenueDraft) -> VenueDraft:
    """The draft as it would leave."""
    said = disclosing.disclosed(card, draft.text, draft.language, draft.firm)
    return replace(draft, text=said)
