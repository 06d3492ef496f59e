"""Leave to read personal data for one purpose. Only this module mints it, and each minting is written down."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from rapport.consent.models import Warranted
from rapport.consent.selectors import allowing, defining
from rapport.kit import clock, ids
from rapport.kit.errors import Denied, Invalid
from rapport.people.rules.graph import Subjects, as_subjects

_MINT = object()


@dataclass(frozen=True, slots=True)
class Warrant:
    """Leave to read, for a purpose. What it shows is decided when it is used, not when it was minted."""

    id: uuid.UUID
    purpose: str
    channel: str
    by: str
    why: str
    at: dt.datetime
    minted: object

    def __post_init__(self) -> None:
        if self.minted is not _MINT:
            raise Denied("a warrant was made by hand", "Ask consent.services.warrant for one.")

    def sees(self, subjects: Sequence[int] | Subjects) -> Subjects:
        """Those of the subjects that may be read now for its purpose, in the order given."""
        return allowing.only_allowed(as_subjects(subjects), self.purpose, self.channel)

    def subjects(self) -> pa.Table:
        """Every subject that may be read now for its purpose: one column, ascending."""
        return allowing.allowed_subjects(self.purpose, self.channel)

    def refuses(self) -> pa.Table:
        """Every subject that people knows and that may not be read now for its purpose."""
        return allowing.refused_subjects(self.purpose, self.channel)


def warrant(purpose: str, *, by: str, why: str, channel: str = "") -> Warrant:
    """Leave to read what may be used for a purpose; who asked and why is kept.

    Raises NotFound for a purpose that the firm has not, Denied for one that it has switched off.
    """
    chosen = defining.purpose(purpose)
    if not chosen.is_active:
        raise Denied(
            f"the purpose {purpose!r} is switched off", "Switch it on at Consent, or choose another."
        )
    if not by or not why:
        raise Invalid("a warrant needs to know who asks and why", "Give `by` and `why`.")
    minted = Warrant(ids.uuid7(), purpose, channel, by, why, clock.now(), _MINT)
    Warranted.objects.create(id=minted.id, purpose=purpose, by=by, why=why, at=minted.at)
    return minted
