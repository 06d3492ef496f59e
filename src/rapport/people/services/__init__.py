"""Verbs on people: merge and un-merge, accept and reject, propose, score, erase."""

from __future__ import annotations

from rapport.people.services.deciding import (
    Decided,
    Proposed,
    accept,
    merge,
    propose,
    reject,
    reopen,
    unmerge,
)
from rapport.people.services.declaring import declare
from rapport.people.services.erasing import Erased, erase, forget
from rapport.people.services.proposing import (
    Proposing,
    linking_policy,
    propose_identities,
    set_linking_policy,
)
from rapport.people.services.scoring import drop_scores, write_scores

__all__ = [
    "Decided",
    "Erased",
    "Proposed",
    "Proposing",
    "accept",
    "declare",
    "drop_scores",
    "erase",
    "forget",
    "linking_policy",
    "merge",
    "propose",
    "propose_identities",
    "reject",
    "reopen",
    "set_linking_policy",
    "unmerge",
    "write_scores",
]
