"""The subscriber `onsite`: what somebody took back elsewhere also ends what their browsers send.

What was answered on a banner needs none of this: the browser it was answered in knows. The list holds
browsers of the same core, so no withdrawal reaches a browser that is only probably somebody's.
"""

from __future__ import annotations

import numpy as np

from rapport.consent import erasers
from rapport.consent.erasers import Erasing
from rapport.events import lake, subscriptions
from rapport.events.collector import sites as published
from rapport.kit import bulk, clock, query
from rapport.onsite import rules, services
from rapport.onsite.models import Withdrawn
from rapport.people import selectors as people
from rapport.people.rules.graph import as_subjects

KEY = "onsite"
NAMES = ("consent_granted", "consent_denied", "consent_withdrawn")
PAGE = 500


def register() -> None:
    """Ask the log for what people say about the use of their data, and to be told of erasures."""
    subscriptions.subscribe(KEY, names=NAMES, handler=on_batch, is_awaited=True)
    erasers.register(KEY, on_erased)


def on_batch(batch: subscriptions.Batch) -> None:
    """Bring the list of browsers that must stop up to this batch, and publish it where it changed."""
    if batch.events.num_rows == 0:
        return
    with lake.scratch() as con:
        con.register("event", batch.events)
        asked = {"purpose": rules.MEASURING}
        spoken = query.run(con, query.load("rapport.onsite", "took_back"), asked).fetchall()
    changed = False
    for is_withdrawn in (True, False):
        hashes = _browsers([subject for subject, withdrew in spoken if withdrew == is_withdrawn])
        if hashes and is_withdrawn:
            _list(hashes)
            changed = True
        for at in range(0, len(hashes), PAGE) if not is_withdrawn else ():
            changed |= bool(Withdrawn.objects.filter(hash__in=hashes[at : at + PAGE]).delete()[0])
    if changed:
        services.publish()


def on_erased(erasing: Erasing) -> int:
    """Have the browsers of somebody erased forget their number; onsite itself keeps nothing of anybody."""
    hashes = [published.withdrawn_hash(text) for text in erasing.identifiers if text.startswith("anonymous:")]
    if hashes:
        _list(hashes)
        services.publish()
    return 0


def _list(hashes: list[str]) -> None:
    now = bulk.time_value(clock.now())
    bulk.upsert("onsite_withdrawn", ("hash", "withdrawn_at"), ((h, now) for h in hashes), conflict=("hash",))


def _browsers(subjects: list[int]) -> list[str]:
    """Keyed hashes of the browsers that certainly are of the same people as these subjects."""
    if not subjects:
        return []
    cores = np.unique(people.cores_for(as_subjects(subjects))["core"].to_numpy())
    known = people.identity_arrow()
    mine = np.isin(known["core"].to_numpy(), cores)
    members = known["subject"].to_numpy()[mine].tolist()
    found: list[str] = []
    for at in range(0, len(members), PAGE):
        texts = people.identifiers_for(members[at : at + PAGE]).values()
        found += [published.withdrawn_hash(text) for text in texts if text.startswith("anonymous:")]
    return found
