"""What a domain above does once a model has run, and the table that a model reads now."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pyarrow as pa

from rapport.events import lake
from rapport.insights.contract import SCORES
from rapport.insights.services import judging, keeping, permitting
from rapport.people import selectors as people

log = logging.getLogger(__name__)

# By model: what follows a run of it that is done.
_FOLLOWS: dict[str, Callable[[], object]] = {}


def after_run(name: str, then: Callable[[], object]) -> None:
    """Let a domain above act once a model has run; called when its app is ready."""
    _FOLLOWS[name] = then


def follow(name: str) -> None:
    """Do what follows a run; the run is done whatever comes of it, so a failure is told and goes no further."""
    if name in _FOLLOWS:
        try:
            _FOLLOWS[name]()
        except Exception:
            log.exception("what follows a run of %s failed; it is done anew after the next", name)


def table_of(name: str) -> pa.Table:
    """What a model of people reads now: whoever refuses its purpose is not in it."""
    model = keeping.insight(name)
    refused = permitting.refused_by(permitting.warrant(model))
    con = lake.connect()
    try:
        lake.give(con, "identity", permitting.identity_seen(refused))
        asks = model.needs is not None and "score" in model.needs.needs
        lake.give(con, "score", people.scores_arrow() if asks else SCORES.empty_table())
        return judging.read(con, model, keeping.context(model))
    finally:
        con.close()
