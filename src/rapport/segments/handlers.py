"""What others are told of segments: how they forget a person, what they show of one, and who uses which."""

from __future__ import annotations

from collections.abc import Iterator

from rapport.consent import erasers, exporters
from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting, Section
from rapport.segments import uses
from rapport.segments.selectors import listing, membership
from rapport.segments.services import forgetting

NAME = "segments"


def register() -> None:
    """Called in AppConfig.ready()."""
    erasers.register(NAME, erase)
    exporters.register(NAME, show)
    uses.register(NAME, asking_about)


def erase(erasing: Erasing) -> int:
    """Take an erased person out of every file of members."""
    return forgetting.forget({*erasing.persons, *erasing.subjects})


def show(exporting: Exporting) -> Iterator[Section]:
    """The segments that somebody is in."""
    rows = []
    for person in exporting.persons:
        for key, since in membership.segments_of(person).items():
            segment = listing.segment(key)
            rows.append({"segment": segment.title, "meaning": segment.meaning, "since": since})
    yield Section("Segments you are in", rows, origin="worked out from the above")


def asking_about(key: str) -> list[str]:
    """The segments whose rules ask about this one, in words."""
    return [f"the segment “{segment.title}”" for segment in listing.asking_about(key)]
