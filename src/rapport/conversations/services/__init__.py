"""What is done with conversations: take, answer, settle, join, recover, arrange; what time does to them."""

from __future__ import annotations

from rapport.conversations.services.answering import answer, approve, ask_approval, follow_deliveries, refuse
from rapport.conversations.services.arranging import (
    drop_canned,
    drop_macro,
    drop_view,
    ready_text,
    run_macro,
    save_canned,
    save_macro,
    save_target,
    save_view,
)
from rapport.conversations.services.daily import mind_daily_if_due
from rapport.conversations.services.joining import merge, split, unmerge, unsplit
from rapport.conversations.services.minding import close_quiet, forget_asides, mind, note_orders
from rapport.conversations.services.outcomes import Moved, Outcome
from rapport.conversations.services.receiving import lift_silence, reckon_reception
from rapport.conversations.services.recovering import begin_playbook, do_step, give_up
from rapport.conversations.services.voicing import change_voice, export_voice, voice_draft
from rapport.conversations.services.working import (
    assign,
    correct,
    keep_draft,
    mention,
    note,
    prioritise,
    reopen,
    resolve,
    seen_mentions,
    set_language,
    snooze,
    unwatch,
    wait,
    watch,
)

__all__ = [
    "Moved",
    "Outcome",
    "answer",
    "approve",
    "ask_approval",
    "assign",
    "begin_playbook",
    "change_voice",
    "close_quiet",
    "correct",
    "do_step",
    "drop_canned",
    "drop_macro",
    "drop_view",
    "export_voice",
    "follow_deliveries",
    "forget_asides",
    "give_up",
    "keep_draft",
    "lift_silence",
    "mention",
    "merge",
    "mind",
    "mind_daily_if_due",
    "note",
    "note_orders",
    "prioritise",
    "ready_text",
    "reckon_reception",
    "refuse",
    "reopen",
    "resolve",
    "run_macro",
    "save_canned",
    "save_macro",
    "save_target",
    "save_view",
    "seen_mentions",
    "set_language",
    "snooze",
    "split",
    "unmerge",
    "unsplit",
    "unwatch",
    "voice_draft",
    "wait",
    "watch",
]
