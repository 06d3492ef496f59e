"""What staff do with a persona: name it, note something, make a segment of it."""

from __future__ import annotations

from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.personas import selectors
from rapport.personas.models import Card
from rapport.personas.rules import Written
from rapport.segments import services as segments
from rapport.segments.selectors import segment


def write(key: str, *, name: str, note: str, by: str) -> None:
    """Give a persona a name and a note, which it keeps when it is found anew; an empty name lets it be suggested."""
    written = Written(" ".join(name.split()), note.strip())
    changed = Card.objects.filter(key=key).update(
        name=written.name, note=written.note, changed_by=by, changed_at=clock.now()
    )
    if not changed:
        raise NotFound(f"there is no persona {key!r}", "Open the list of personas.")


def as_segment(key: str, *, title: str, by: str) -> str:
    """The key of the segment of a persona's people, made where there is none yet."""
    selectors.card(key)
    name = selectors.segment_key(key)
    try:
        return segment(name).key
    except NotFound:
        rule = {"score": selectors.MODEL, "in": [key]}
        return segments.create(title, rule, by=by, key=name).key
