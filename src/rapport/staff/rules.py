"""Who may do what: one table from role to rights. Pure."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum


class Role(StrEnum):
    """What somebody does here; each role has the rights in `RIGHTS`."""

    OWNER = "owner"
    MARKETER = "marketer"
    ANSWERS = "answers"
    ANALYST = "analyst"
    NONE = "none"


class Right(StrEnum):
    """One thing that a screen or a button asks for."""

    SEE_HOME = "see_home"
    SEE_PEOPLE = "see_people"
    CHANGE_PEOPLE = "change_people"
    SEE_INSIGHTS = "see_insights"
    RUN_INSIGHTS = "run_insights"
    SEE_SOURCES = "see_sources"
    CHANGE_SOURCES = "change_sources"
    SEE_HEALTH = "see_health"
    EXPORT_PEOPLE = "export_people"
    ERASE_PEOPLE = "erase_people"
    SEE_PRIVACY = "see_privacy"
    CHANGE_PRIVACY = "change_privacy"
    SEE_SURVEYS = "see_surveys"
    CHANGE_SURVEYS = "change_surveys"
    SEE_TRACKING = "see_tracking"
    CHANGE_TRACKING = "change_tracking"
    SEE_MESSAGES = "see_messages"
    CHANGE_MESSAGES = "change_messages"
    MANAGE_KEYS = "manage_keys"
    MANAGE_STAFF = "manage_staff"


_WORK = frozenset({Right.SEE_HOME, Right.SEE_PEOPLE})
_ANALYSE = _WORK | {
    Right.SEE_SOURCES,
    Right.SEE_HEALTH,
    Right.SEE_INSIGHTS,
    Right.RUN_INSIGHTS,
    Right.SEE_PRIVACY,
    Right.SEE_SURVEYS,
    Right.SEE_TRACKING,
    Right.SEE_MESSAGES,
}
_MARKET = _ANALYSE | {
    Right.CHANGE_PEOPLE,
    Right.CHANGE_SOURCES,
    Right.EXPORT_PEOPLE,
    Right.CHANGE_SURVEYS,
    Right.CHANGE_TRACKING,
    Right.CHANGE_MESSAGES,
}

RIGHTS: dict[str, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.MARKETER: _MARKET,
    Role.ANSWERS: _WORK,
    Role.ANALYST: _ANALYSE,
    Role.NONE: frozenset(),
}

THEMES = ("auto", "light", "dark")
SETUP_LINK_TTL = dt.timedelta(hours=24)
INVITATION_TTL = dt.timedelta(days=7)
LOGIN_LINK_TTL = dt.timedelta(minutes=30)
ABSENCE = dt.timedelta(minutes=30)  # who comes back after this has been away


def may(role: str, right: Right) -> bool:
    """Whether the role carries the right; an unknown role carries none."""
    return right in RIGHTS.get(role, frozenset())


def roles_with(right: Right) -> list[Role]:
    """The roles that carry a right, for a sentence that says whom to ask."""
    return [role for role in Role if right in RIGHTS[role]]
