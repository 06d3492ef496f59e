"""People, as far as a purpose lets them be read."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
from django.http import HttpRequest
from ninja import Query, Router

from rapport.consent.services import Warrant, warrant
from rapport.kit import clock
from rapport.kit.errors import Denied, NotFound
from rapport.people import selectors as people
from rapport.people.rules import words
from rapport.staff.rules import Scope
from rapport.web.api import shapes
from rapport.web.api.auth import BearerToken, caller
from rapport.web.api.problems import described

router = Router(tags=["people"], auth=BearerToken(Scope.PEOPLE_READ))

WARRANT_KEPT_S = 3600  # one line in the log of warrants an hour, not one for each request
WARRANTS_MAX = 1_000
Purpose = Annotated[
    shapes.Key, Query(..., description="What it is read for; nobody is shown who may not be.")
]
Limit = Annotated[int, Query(ge=1, le=shapes.LIMIT_MAX)]
Kind = Literal["said", "bought", "read", "asked", "answered", "sent", "told"]
assert set(Kind.__args__) <= set(words.TIMELINE)  # type: ignore[attr-defined]

_warrants: dict[tuple[str, str], tuple[float, Warrant]] = {}
_lock = threading.Lock()


def warrant_for(request: HttpRequest, purpose: str) -> Warrant:
    """Leave to read for a purpose, in the name of whoever calls."""
    key, now_s = (caller(request), purpose), clock.monotonic_s()
    with _lock:
        until_s, held = _warrants.get(key, (0.0, None))
        if held is not None and now_s < until_s:
            return held
    minted = warrant(purpose, by=key[0], why="API")
    with _lock:
        if len(_warrants) > WARRANTS_MAX:
            _warrants.clear()
        _warrants[key] = (now_s + WARRANT_KEPT_S, minted)
    return minted


def forget_warrants() -> None:
    """Mint anew next time."""
    _warrants.clear()


@router.get("", response=described(shapes.People), summary="Search people, or list them newest first")
def listing(
    request: HttpRequest,
    purpose: Purpose,
    search: Annotated[str, Query(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")] = "",
    kind: Literal["person", "visitor"] = "person",
    cursor: shapes.Cursor = "",
    limit: Limit = 50,
) -> Any:
    """A page shows those alone who may be read in full; `n_hidden` says how many of it may not.

    `search` takes the beginning of a name, a mail address, a number or an identifier, and gives the
    nearest first on one page.
    """
    minted = warrant_for(request, purpose)
    if search.strip():
        found = [m.person for m in people.search(search, limit) if m.person.kind == kind]
        onward = ""
    else:
        page = people.people_page(kind=kind, cursor=cursor, limit=limit)
        found, onward = list(page.rows), page.next
    open_ = _open_persons(minted, [row.id for row in found])
    shown = [row for row in found if row.id in open_]
    return {"people": shown, "next": onward, "n_hidden": len(found) - len(shown)}


@router.get("/{ref}", response=described(shapes.Person), summary="One person")
def person(request: HttpRequest, ref: shapes.Ref, purpose: Purpose) -> Any:
    """Traits as they are believed, with their origin, and scores; each identifier by its own consent."""
    minted = warrant_for(request, purpose)
    found = _known(ref)
    seen = _seen(minted, found)
    texts = {i.text for i in found.identifiers if i.subject in seen}
    is_partial = len(seen) < len(found.subjects)
    told = [t for of in found.traits for t in (of.chosen, *of.others) if t.identifier in texts]
    believed: dict[str, Any] = {}
    for trait in told:
        believed.setdefault(trait.name, trait)
    return {
        "id": found.id,
        "kind": found.kind,
        "display_name": "" if is_partial else found.display_name,
        "identifiers": sorted(texts),
        "traits": list(believed.values()),
        # A score was made of the whole person, so a part of one has none.
        "scores": [] if is_partial else list(found.scores),
        "is_partial": is_partial,
    }


@router.get("/{ref}/timeline", response=described(shapes.Timeline), summary="What happened, newest first")
def timeline(
    request: HttpRequest,
    ref: shapes.Ref,
    purpose: Purpose,
    before: shapes.Cursor = "",
    kinds: Annotated[list[Kind], Query(description="Only these; all where none is given.")] = [],  # noqa: B006
    limit: Limit = 50,
) -> Any:
    """Events of the identifiers that may be read for the purpose."""
    minted = warrant_for(request, purpose)
    seen = _seen(minted, _known(ref))
    page = people.timeline_of(sorted(seen), before=before, kinds=kinds, limit=limit)
    return {"events": [_event(e) for e in page.events], "next": page.next}


def _event(event: people.TimelineEvent) -> dict[str, Any]:
    row = {name: getattr(event, name, None) for name in shapes.Event.model_fields}
    money = event.value
    return row | {
        "value_minor": money.minor if money else None,
        "currency": money.currency if money else None,
    }


def _known(ref: str) -> people.PersonView:
    found = people.person(ref)
    if found.kind == "author":
        # Said as if nobody were there: whether somebody writes in public is not for a token to ask.
        raise NotFound(f"nobody is known as {ref!r}", "Write a person's number or namespace:value.")
    return found


def _seen(minted: Warrant, found: people.PersonView) -> set[int]:
    """Those of a person's subjects that may be read; Denied where none may."""
    seen = set(minted.sees(found.subjects).tolist())
    if not seen:
        raise Denied(
            f"person {found.id} may not be read for {minted.purpose}",
            "Ask them, or read for a purpose that needs no consent.",
        )
    return seen


def _open_persons(minted: Warrant, persons: Iterable[int]) -> set[int]:
    """Those persons of whom every subject may be read."""
    mine = {number: people.subjects_of(number) for number in persons}
    every = np.array(sorted({s for subjects in mine.values() for s in subjects}), dtype=np.int64)
    seen = set(minted.sees(every).tolist())
    return {number for number, subjects in mine.items() if subjects and seen.issuperset(subjects)}
