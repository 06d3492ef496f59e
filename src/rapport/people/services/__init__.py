"""Verbs on people: merge and un-merge, accept and reject, propose, score, erase."""

from __future__ import annotations

from rapport.people.services.deciding import Decided, Proposed, accept, merge, propose, reject, unmerge
from rapport.people.services.declaring import declare
from rapport.people.services.erasing import Erased, erase, forget
from rapport.people.services.scoring import drop_scores, write_scores

__all__ = [
    "Decided",
    "Erased",
    "Proposed",
    "accept",
    "declare",
    "drop_scores",
    "erase",
    "forget",
    "merge",
    "propose",
    "reject",
    "unmerge",
    "write_scores",
]
