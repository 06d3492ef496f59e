"""Verbs on people: merge and un-merge, accept and reject, propose, score, erase."""

from __future__ import annotations

from rapport.people.services.authors import (
    AuthorsForgotten,
    forget_authors,
    forget_authors_if_due,
    object_author,
    register_forgetting,
    set_author_terms,
    under_derivation_ban,
)
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
    "AuthorsForgotten",
    "Decided",
    "Erased",
    "Proposed",
    "Proposing",
    "accept",
    "declare",
    "drop_scores",
    "erase",
    "forget",
    "forget_authors",
    "forget_authors_if_due",
    "linking_policy",
    "merge",
    "object_author",
    "propose",
    "propose_identities",
    "register_forgetting",
    "reject",
    "reopen",
    "set_author_terms",
    "set_linking_policy",
    "under_derivation_ban",
    "unmerge",
    "write_scores",
]
