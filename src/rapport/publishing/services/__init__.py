"""Verbs of publishing: write, approve and let out posts of our own; run a live desk."""

from __future__ import annotations

from rapport.publishing.services.desk import answer, hide, pin, pin_product, say_product, show, unpin_product
from rapport.publishing.services.keeping import forget_old, forget_unused, forget_unused_if_due
from rapport.publishing.services.live import begin, change_broadcast, end
from rapport.publishing.services.posts import (
    PICTURES_MAX,
    Checked,
    Shown,
    Written,
    approve,
    back_to_draft,
    check,
    checks,
    chosen,
    discard,
    follow_up,
    leave_due,
    send_back,
    settle,
    submit,
    try_again,
    withdraw,
    write,
)
from rapport.publishing.services.watching import is_live, run, running_beside

__all__ = [
    "PICTURES_MAX",
    "Checked",
    "Shown",
    "Written",
    "answer",
    "approve",
    "back_to_draft",
    "begin",
    "change_broadcast",
    "check",
    "checks",
    "chosen",
    "discard",
    "end",
    "follow_up",
    "forget_old",
    "forget_unused",
    "forget_unused_if_due",
    "hide",
    "is_live",
    "leave_due",
    "pin",
    "pin_product",
    "run",
    "running_beside",
    "say_product",
    "send_back",
    "settle",
    "show",
    "submit",
    "try_again",
    "unpin_product",
    "withdraw",
    "write",
]
