"""Changing the policy: each change is a new version with who made it and why."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from rapport.kit import clock
from rapport.kit.errors import Conflict, Invalid
from rapport.portfolio import selectors
from rapport.portfolio.models import PolicyVersion
from rapport.portfolio.rules import Policy, check


def change(policy: Policy, *, by: str, why: str = "") -> Policy:
    """Put a policy in force, on or off as the one before it. Raises Invalid for one that cannot be.

    One that is on stays on: it is changed in the open, and its simulation can be made anew.
    """
    check(policy)
    with transaction.atomic():
        before = selectors.policy()
        return _write(replace(policy, is_on=before.is_on), by, why, None)


def switch_on(*, by: str, why: str = "") -> Policy:
    """Take turns by the policy from now on. Raises Conflict where nobody has looked at what it would change."""
    with transaction.atomic():
        policy = selectors.policy()
        if policy.is_on:
            raise Conflict("the policy is on already", "Nothing was changed.")
        seen = selectors.simulation_of(policy)
        if seen is None:
            raise Conflict(
                "nobody has looked at what this policy would change",
                "Try it on past contacts first; then it can be switched on.",
            )
        return _write(replace(policy, is_on=True), by, why, seen.id)


def switch_off(*, by: str, why: str = "") -> Policy:
    """Take turns as people come again, after what always comes first."""
    with transaction.atomic():
        policy = selectors.policy()
        if not policy.is_on:
            raise Conflict("the policy is off already", "Nothing was changed.")
        return _write(replace(policy, is_on=False), by, why, None)


def _write(policy: Policy, by: str, why: str, simulation: int | None) -> Policy:
    if not by:
        raise Invalid("a change of the policy needs to know who makes it", "Give `by`.")
    row = PolicyVersion.objects.create(
        content=policy.as_json(),
        is_on=policy.is_on,
        changed_at=clock.now(),
        changed_by=by,
        why=why,
        simulation=simulation,
    )
    return selectors.of_version(row)
