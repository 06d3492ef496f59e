"""What is done with staff accounts, the links that let in, and the tokens that open the API."""

from __future__ import annotations

from rapport.staff.services.accounts import (
    change_organisation,
    change_password,
    change_role,
    change_settings,
    change_theme,
    create_login_link,
    create_owner,
    invite,
    let_in,
    new_link_for,
    note_seen,
    redeem,
    set_up,
)
from rapport.staff.services.tokens import create_token, note_used, revoke_token

__all__ = [
    "change_organisation",
    "change_password",
    "change_role",
    "change_settings",
    "change_theme",
    "create_login_link",
    "create_owner",
    "create_token",
    "invite",
    "let_in",
    "new_link_for",
    "note_seen",
    "note_used",
    "redeem",
    "revoke_token",
    "set_up",
]
