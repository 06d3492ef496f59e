"""What staff arranges for many conversations: views, canned answers, macros, targets."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rapport.conversations.models import CannedAnswer, Conversation, Macro, Target, View
from rapport.conversations.rules import clocks, playbooks, ready, views
from rapport.conversations.selectors import reading
from rapport.conversations.services import recovering, summing, telling, voicing, working
from rapport.conversations.services.ticking import tick
from rapport.kit import clock
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.staff import selectors as staff
from rapport.staff.rules import Right

_SHORT = re.compile(r"^[\w-]{1,32}$")
MACRO_STEPS: Mapping[str, tuple[str, ...]] = {
    "assign": ("to",),  # "me", "nobody" or a number of staff
    "snooze": ("hours",),
    "resolve": ("outcome",),
    "wait": (),
    "priority": ("level",),
    "note": ("text",),
    "draft": ("short",),  # a canned answer put into the composer; nothing is sent unseen
    "playbook": ("kind",),
    "voice": ("department",),
}
NAME_MAX, STEPS_MAX = 80, 12


def save_view(name: str, wanted: Mapping[str, Any], *, by: int, is_shared: bool = False) -> str:
    """Keep a selection under a name; gives its key. Shared ones are for whoever arranges the inbox."""
    _may_share(by, is_shared=is_shared)
    name = name.strip()
    if not 1 <= len(name) <= NAME_MAX:
        raise Invalid(_("a view has a name of 1 to 80 characters"), _("Write one."))
    made = View.objects.create(
        owner=None if is_shared else by,
        name=name,
        wanted=views.wanted(wanted).as_json(),
        position=View.objects.count(),
    )
    return f"v{made.id}"


def drop_view(key: str, *, by: int) -> None:
    """Delete a saved view of one's own, or a shared one."""
    number = key.removeprefix("v")
    found = View.objects.filter(pk=int(number)).first() if number.isdigit() else None
    if found is None or found.owner not in (None, by):
        raise NotFound(_("there is no view %(name)s") % {"name": key}, _("Nothing was changed."))
    _may_share(by, is_shared=found.owner is None)
    found.delete()


def save_canned(short: str, title: str, texts: Mapping[str, str], *, by: int, was: str | None = None) -> None:
    """Keep a canned answer under a short name, in as many languages as there are texts.

    was : the short name that it had, "" for a new one; Conflict where another has the name. None: as it may be
    """
    short = short.strip().lstrip("/").lower()
    if not _SHORT.match(short):
        raise Invalid(
            _("%(name)s cannot be typed after a slash") % {"name": short or "''"},
            _("Use at most 32 letters, digits and hyphens."),
        )
    kept = {language: text.strip() for language, text in texts.items() if text.strip()}
    if not kept or any(len(text) > working.TEXT_MAX for text in kept.values()):
        raise Invalid(_("a canned answer says something in at least one language"), _("Write it."))
    with transaction.atomic():
        if was is not None and was != short and CannedAnswer.objects.filter(short=short).exists():
            raise Conflict(
                _("there is a canned answer /%(name)s already") % {"name": short},
                _("Choose another short name, or change that one."),
            )
        CannedAnswer.objects.update_or_create(
            short=short,
            defaults={
                "title": title.strip()[:120] or short,
                "texts": kept,
                "made_by": by,
                "changed_at": clock.now(),
            },
        )
        if was and was != short:
            drop_canned(was)


def drop_canned(short: str) -> None:
    """Forget a canned answer."""
    CannedAnswer.objects.filter(short=short.lstrip("/").lower()).delete()


def save_macro(name: str, steps: Sequence[Mapping[str, Any]], *, by: int) -> int:
    """Keep several things to do in one press; gives its number. Raises Invalid."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_MAX or not 1 <= len(steps) <= STEPS_MAX:
        raise Invalid(_("a macro has a name and 1 to 12 steps"), _("Write a name, and say what it does."))
    kept = []
    for step in steps:
        do = str(step.get("do", ""))
        if do not in MACRO_STEPS:
            raise Invalid(
                _("%(name)s is nothing that a macro does") % {"name": do}, f"{', '.join(MACRO_STEPS)}."
            )
        if missing := [k for k in MACRO_STEPS[do] if step.get(k) in (None, "")]:
            raise Invalid(_("the step %(name)s is not complete") % {"name": do}, f"{', '.join(missing)}?")
        kept.append({"do": do, **{k: step[k] for k in MACRO_STEPS[do]}})
        _check(kept[-1])
    made, _is_new = Macro.objects.update_or_create(name=name, defaults={"steps": kept, "made_by": by})
    return made.id


def drop_macro(number: int) -> None:
    """Forget a macro."""
    Macro.objects.filter(pk=number).delete()


def run_macro(number: uuid.UUID, macro: int, *, by: int, version: int) -> list[str]:
    """Do a macro's steps in order; gives what was done. Raises Moved where the conversation is not as seen."""
    found = Macro.objects.filter(pk=macro).first()
    if found is None:
        raise NotFound(_("there is no such macro"), _("Load the list again."))
    with telling.held_back(), working.held(number, version):
        return [_do(number, step, by) for step in found.steps]


def _do(number: uuid.UUID, step: Mapping[str, Any], by: int) -> str:
    do = step["do"]
    if do == "assign":
        to = {"me": by, "nobody": None}.get(str(step["to"]), step["to"])
        working.assign(number, None if to is None else int(to), by=by)
    elif do == "snooze":
        working.snooze(number, clock.now() + dt.timedelta(hours=float(step["hours"])), by=by)
    elif do == "resolve":
        working.resolve(number, step["outcome"], by=by)
    elif do == "wait":
        working.wait(number, by=by)
    elif do == "priority":
        working.prioritise(number, step["level"], by=by)
    elif do == "note":
        working.note(number, step["text"], by=by)
    elif do == "playbook":
        recovering.begin_playbook(number, step["kind"], by=by)
    elif do == "voice":
        voicing.voice_draft(number, by=by, department=step["department"])
    elif do == "draft":
        _draft(number, step["short"], by)
    return str(do)


def _draft(number: uuid.UUID, short: str, by: int) -> None:
    from rapport.conversations.selectors import keeping

    one = Conversation.objects.only("language", "version", "author_name").get(pk=number)
    found = [c for c in keeping.canned(short) if c.short == short]
    if found:
        mine = reading.draft(number, by)  # what is being written stays
        said = ready_text(found[0].text(one.language), one.author_name, by)
        working.keep_draft(number, by, f"{mine.text.rstrip()}\n\n{said}" if mine else said, one.version)


def ready_text(text: str, name: str, by: int) -> str:
    """A ready answer with the names in it: theirs, that of whoever answers, ours."""
    who, firm = staff.staff_by_id(by), staff.organisation()
    return ready.filled(text, name=name, me=who.name, firm=firm.name if firm else "")


def _check(step: Mapping[str, Any]) -> None:
    """Raise Invalid where a step could never be done."""
    do = step["do"]
    if do == "resolve" and step["outcome"] not in views.OUTCOMES:
        raise Invalid(
            _("%(name)s is no way to settle it") % {"name": step["outcome"]}, f"{', '.join(views.OUTCOMES)}."
        )
    if do == "priority" and step["level"] not in working.PRIORITIES:
        raise Invalid(
            _("%(name)s is no priority") % {"name": step["level"]}, f"{', '.join(working.PRIORITIES)}."
        )
    if do == "playbook":
        playbooks.steps(step["kind"], clock.now())
    if do == "snooze" and not 0 < float(step["hours"]) <= 24 * 365:
        raise Invalid(_("one snoozes for some hours, at most a year"), _("Write a number of hours."))


def save_target(channel: str, target: clocks.Target) -> None:
    """Say how soon a channel wants its first answer; conversations that wait get their new moments."""
    checked = clocks.checked(target)
    Target.objects.update_or_create(
        channel=channel,
        defaults={
            "answer_min": checked.answer_min,
            "wait_max_h": checked.wait_max_h,
            "timezone": checked.timezone,
            "hours": [list(day) if day else None for day in checked.hours],
            "stale_days": checked.stale_days,
            "stars_max": checked.stars_max,
        },
    )
    waiting = Conversation.objects.filter(state="open").exclude(waiting_since=None)
    if channel != clocks.EVERY:
        waiting = waiting.filter(channel=channel)
    ids = list(waiting.values_list("id", flat=True))
    for at in range(0, len(ids), 500):
        summing.bring_up_alone(ids[at : at + 500])
    tick()


def _may_share(by: int, *, is_shared: bool) -> None:
    who = staff.staff_by_id(by)
    if is_shared and not who.may(Right.MANAGE_INBOX):
        raise Denied(
            _("%(name)s may not arrange views for everybody") % {"name": who.name or who.email},
            _("Save it for yourself, or ask somebody who may."),
        )
