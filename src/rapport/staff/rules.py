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
    SEE_SEGMENTS = "see_segments"
    CHANGE_SEGMENTS = "change_segments"
    SEE_EXPLORE = "see_explore"
    CHANGE_EXPLORE = "change_explore"
    SEE_PORTFOLIO = "see_portfolio"
    CHANGE_PORTFOLIO = "change_portfolio"
    SEE_PERSONAS = "see_personas"
    CHANGE_PERSONAS = "change_personas"
    TEACH_MODELS = "teach_models"
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
    SEE_INBOX = "see_inbox"
    ANSWER = "answer"
    APPROVE_ANSWERS = "approve_answers"
    MANAGE_INBOX = "manage_inbox"
    SEE_LISTENING = "see_listening"
    SEE_KNOWLEDGE = "see_knowledge"
    CHANGE_KNOWLEDGE = "change_knowledge"
    SEE_VENUES = "see_venues"
    CHANGE_VENUES = "change_venues"
    SEE_PUBLISHING = "see_publishing"
    CHANGE_PUBLISHING = "change_publishing"
    APPROVE_PUBLISHING = "approve_publishing"
    PAUSE_ALL = "pause_all"
    SEE_MESSAGES = "see_messages"
    CHANGE_MESSAGES = "change_messages"
    MANAGE_KEYS = "manage_keys"
    MANAGE_STAFF = "manage_staff"


_WORK = frozenset({Right.SEE_HOME, Right.SEE_PEOPLE})
_TALK = _WORK | {
    Right.SEE_INBOX,
    Right.ANSWER,
    Right.SEE_LISTENING,
    Right.SEE_KNOWLEDGE,
    Right.CHANGE_KNOWLEDGE,
    Right.SEE_VENUES,
    Right.SEE_PUBLISHING,
    Right.PAUSE_ALL,  # whoever sees that something goes wrong must be able to stop it
}
_ANALYSE = _WORK | {
    Right.SEE_SOURCES,
    Right.SEE_HEALTH,
    Right.SEE_INSIGHTS,
    Right.RUN_INSIGHTS,
    Right.SEE_SEGMENTS,
    Right.CHANGE_SEGMENTS,
    Right.SEE_EXPLORE,
    Right.CHANGE_EXPLORE,
    Right.SEE_PORTFOLIO,
    Right.SEE_PERSONAS,
    Right.CHANGE_PERSONAS,
    Right.TEACH_MODELS,
    Right.SEE_PRIVACY,
    Right.SEE_SURVEYS,
    Right.SEE_TRACKING,
    Right.SEE_MESSAGES,
    Right.SEE_INBOX,
    Right.SEE_LISTENING,
    Right.SEE_KNOWLEDGE,
    Right.SEE_VENUES,
    Right.SEE_PUBLISHING,
}
_MARKET = (
    _ANALYSE
    | _TALK
    | {
        Right.CHANGE_PEOPLE,
        Right.CHANGE_SOURCES,
        Right.EXPORT_PEOPLE,
        Right.CHANGE_PORTFOLIO,
        Right.CHANGE_SURVEYS,
        Right.CHANGE_TRACKING,
        Right.CHANGE_MESSAGES,
        Right.APPROVE_ANSWERS,
        Right.MANAGE_INBOX,
        Right.CHANGE_VENUES,
        Right.CHANGE_PUBLISHING,
        Right.APPROVE_PUBLISHING,
    }
)

RIGHTS: dict[str, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.MARKETER: _MARKET,
    Role.ANSWERS: _TALK,
    Role.ANALYST: _ANALYSE,
    Role.NONE: frozenset(),
}


class Scope(StrEnum):
    """One thing that the holder of an API token may do; each names what it is about, then the verb."""

    PEOPLE_READ = "people:read"
    CONSENT_READ = "consent:read"
    CONSENT_WRITE = "consent:write"
    EVENTS_WRITE = "events:write"
    REQUESTS_READ = "requests:read"
    REQUESTS_WRITE = "requests:write"
    SURVEYS_READ = "surveys:read"
    CONVERSATIONS_READ = "conversations:read"
    CONVERSATIONS_WRITE = "conversations:write"
    KNOWLEDGE_READ = "knowledge:read"
    HEALTH_READ = "health:read"
    PAUSE_WRITE = "pause:write"


# What a member of staff needs to do the same on screen; a token never carries more than its owner's role.
SCOPE_RIGHTS: dict[Scope, Right] = {
    Scope.PEOPLE_READ: Right.SEE_PEOPLE,
    Scope.CONSENT_READ: Right.SEE_PRIVACY,
    Scope.CONSENT_WRITE: Right.CHANGE_PRIVACY,
    Scope.EVENTS_WRITE: Right.CHANGE_SOURCES,
    Scope.REQUESTS_READ: Right.SEE_PRIVACY,
    Scope.REQUESTS_WRITE: Right.CHANGE_PRIVACY,
    Scope.SURVEYS_READ: Right.SEE_SURVEYS,
    Scope.CONVERSATIONS_READ: Right.SEE_INBOX,
    Scope.CONVERSATIONS_WRITE: Right.ANSWER,
    Scope.KNOWLEDGE_READ: Right.SEE_KNOWLEDGE,
    Scope.HEALTH_READ: Right.SEE_HEALTH,
    Scope.PAUSE_WRITE: Right.PAUSE_ALL,
}

TOKEN_PREFIX = "rpt_"  # noqa: S105  so that a scanner of leaked secrets recognises one
TOKEN_PER_MINUTE = 600  # requests, unless the token says otherwise
TOKEN_PER_MINUTE_MAX = 60_000
TOKEN_USE_NOTED = dt.timedelta(minutes=1)  # between two notes of a token's last use
TOKEN_DAYS = (30, 90, 365)  # offered on screen; or no end

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
