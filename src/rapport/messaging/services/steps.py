"""What every intended delivery passes before it is planned, in order. Each step looks at a whole set at once.

Contact budget, quiet hours and calendar, and the venue's rule card come after the holdout when there is
something they could ask; adding one is adding a line to STEPS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from rapport.consent import selectors as consent
from rapport.consent.selectors import holding, many
from rapport.events import lake
from rapport.kit import clock, query
from rapport.messaging.services import accounts
from rapport.pacing import rules as pacing_rules
from rapport.pacing import selectors as pacing
from rapport.pacing import services as holdouts
from rapport.people import selectors as people
from rapport.people.selectors import rows

STAFF = "staff"  # namespace of addresses that are colleagues' and nobody's in the log
FEW = 25  # up to so many, each is asked about alone


@dataclass(frozen=True, slots=True)
class Intended:
    """One message that is meant to leave, as the steps see it."""

    identifier: str
    purpose: str
    channel: str
    is_service: bool
    campaign: str = ""

    @property
    def is_staff(self) -> bool:
        return self.identifier.startswith(f"{STAFF}:")


Set = Mapping[int, Intended]
Withholding = Callable[[Set], dict[int, str]]  # place in the set -> reason


@dataclass(frozen=True, slots=True)
class Step:
    """One check: whom it concerns, and whether it is made again right before a message leaves."""

    name: str
    withholds: Withholding
    for_service: bool
    again: bool


def reasons(intended: Set, *, again: bool = False) -> dict[int, str]:
    """Why some of the set do not leave: the first step's reason that applies, by their place in the set."""
    found: dict[int, str] = {}
    for step in STEPS:
        if again and not step.again:
            continue
        left = {
            place: one
            for place, one in intended.items()
            if place not in found and (step.for_service or not one.is_service)
        }
        if left:
            found |= step.withholds(left)
    return found


def reachable(intended: Set) -> dict[int, str]:
    """The channel is set up, and the identifier is an address on it."""
    ready = {channel: accounts.namespace(channel) for channel in {one.channel for one in intended.values()}}
    found = {}
    for place, one in intended.items():
        namespace, _, address = one.identifier.partition(":")
        if ready[one.channel] is None:
            found[place] = "no_channel"
        elif not address or namespace not in (ready[one.channel], STAFF):
            found[place] = "no_address"
    return found


def allowed(intended: Set) -> dict[int, str]:
    """Consent, or another legal basis, for the purpose on the channel."""
    found: dict[int, str] = {}
    known = {purpose.key: purpose for purpose in consent.purposes()}
    for (purpose, channel), places in _grouped(intended, lambda one: (one.purpose, one.channel)).items():
        if (of := known.get(purpose)) is None or not of.is_active:
            found |= dict.fromkeys(places, "inactive_purpose")
            continue
        if not of.can_be_refused:  # contract, legal obligation: the same answer for everybody
            continue
        ours = [place for place in places if not intended[place].is_staff]
        if len(ours) <= FEW:
            for place in ours:
                answer = consent.allows(intended[place].identifier, purpose, channel)
                if not answer.allowed:
                    found[place] = answer.reason
        else:
            found |= _refused({place: intended[place].identifier for place in ours}, purpose, channel)
    return found


def _refused(identifiers: Mapping[int, str], purpose: str, channel: str) -> dict[int, str]:
    """Of many: whom the relation of the allowed does not hold, each with what the ledger says."""
    subjects = subjects_of(identifiers.values())
    allowed_now = set(rows.numbers(consent.allowed_subjects(purpose, channel), "subject").tolist())
    found: dict[int, str] = {}
    asking: dict[int, int] = {}
    for place, identifier in identifiers.items():
        subject = subjects.get(identifier)
        if subject is None:  # the log has not read this identifier yet, but the ledger may have it
            answer = consent.allows(identifier, purpose, channel)
            if not answer.allowed:
                found[place] = answer.reason
        elif subject not in allowed_now:
            asking[place] = subject
    because = _because(set(asking.values()), purpose, channel)
    return found | {place: because.get(subject, "no_consent") for place, subject in asking.items()}


def _because(subjects: set[int], purpose: str, channel: str) -> dict[int, str]:
    """Why each of these subjects is refused; the verdict itself is consent's."""
    if not subjects:
        return {}
    basis = consent.purpose(purpose).legal_basis
    with lake.scratch() as con:
        con.register("asking", pa.table({"subject": pa.array(sorted(subjects), pa.int64())}))
        con.register("identity", people.identity_arrow())
        con.register("ledger", holding.ledger_arrow(purpose))
        con.register("restriction", holding.restricted_arrow())
        asked = {"purpose": purpose, "channel": channel, "at": clock.now(), "basis": basis}
        return dict(query.run(con, query.load("rapport.messaging", "because"), asked).fetchall())


def unsuppressed(intended: Set) -> dict[int, str]:
    """Nothing goes to an address that bounced, was erased or asked for nothing more."""
    found: dict[int, str] = {}
    for (purpose, channel), places in _grouped(
        intended, lambda one: ("service" if one.is_service else one.purpose, one.channel)
    ).items():
        ours = {place: intended[place].identifier for place in places if not intended[place].is_staff}
        stopped = consent.suppressed(list(set(ours.values())), channel, purpose) if ours else {}
        found |= {
            place: f"suppressed_{stopped[identifier]}"
            for place, identifier in ours.items()
            if identifier in stopped
        }
    return found


def wished(intended: Set) -> dict[int, str]:
    """Whoever asked for a pause has it."""
    wishes = many.wishes_of([one.identifier for one in intended.values()], "pause_until")
    today = clock.now().date().isoformat()
    return {
        place: "asked_for_pause"
        for place, one in intended.items()
        if (until := wishes.get(one.identifier)) and str(until) >= today
    }


def treated(intended: Set) -> dict[int, str]:
    """Not held out: of everything, or of the campaign, where such an experiment is defined."""
    found: dict[int, str] = {}
    experiments = pacing.defined(
        [pacing_rules.EVERYTHING, *sorted({one.campaign for one in intended.values() if one.campaign})]
    )
    if not experiments:
        return found
    subjects = subjects_of(one.identifier for one in intended.values())
    for experiment in experiments:
        among = {
            place: subjects[one.identifier]
            for place, one in intended.items()
            if one.identifier in subjects and experiment in (pacing_rules.EVERYTHING, one.campaign)
        }
        held = holdouts.held_out(sorted(set(among.values())), experiment)
        found |= {place: "held_out" for place, subject in among.items() if subject in held}
    return found


def subjects_of(identifiers: Iterable[str]) -> dict[str, int]:
    """The subject of each identifier that people knows."""
    return people.subjects_for(sorted(set(identifiers)))


def _grouped(intended: Set, key: Callable[[Intended], tuple[str, str]]) -> dict[tuple[str, str], list[int]]:
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, one in intended.items():
        groups[key(one)].append(place)
    return groups


STEPS: Sequence[Step] = (
    Step("channel", reachable, for_service=True, again=False),
    Step("consent", allowed, for_service=True, again=True),
    Step("suppression", unsuppressed, for_service=True, again=True),
    Step("wishes", wished, for_service=False, again=True),
    Step("holdout", treated, for_service=False, again=False),
)

__all__ = ["STAFF", "STEPS", "Intended", "Step", "reasons", "subjects_of"]
