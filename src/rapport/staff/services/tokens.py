"""Making and revoking the tokens that open the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from rapport.kit import clock, ids
from rapport.kit.errors import Conflict, Denied, Invalid
from rapport.staff import rules, selectors
from rapport.staff.models import Staff, Token
from rapport.staff.rules import Right, Scope


def create_token(
    by: Staff,
    *,
    name: str,
    scopes: Iterable[str],
    machine: bool = True,
    days: int | None = None,
    per_minute: int = rules.TOKEN_PER_MINUTE,
) -> tuple[Token, str]:
    """Make a token, for a machine or for `by`; gives its row and its text, which is kept nowhere.

    A machine's token needs the right to manage keys. One of one's own carries at most what one's role
    does, now and later.
    """
    wanted = _scopes(scopes)
    if machine and not by.may(Right.MANAGE_KEYS):
        raise Denied(_("your role may not make tokens for machines"), _("Ask an owner."))
    missing = [scope for scope in wanted if not by.may(rules.SCOPE_RIGHTS[scope])]
    if missing:
        raise Denied(
            _("your role does not carry %(scopes)s") % {"scopes": ", ".join(missing)},
            _("Leave these out, or ask an owner."),
        )
    if not name.strip():
        raise Invalid(
            _("the token has no name"), _("Name what uses it, so that you know what stops when it ends.")
        )
    if days is not None and not 1 <= days <= 3650:
        raise Invalid(
            _("a token cannot last %(days)s days") % {"days": days}, _("Choose 1 to 3650, or no end.")
        )
    if not 1 <= per_minute <= rules.TOKEN_PER_MINUTE_MAX:
        raise Invalid(
            _("%(n)s requests a minute cannot be") % {"n": per_minute},
            _("Choose 1 to %(most)s.") % {"most": rules.TOKEN_PER_MINUTE_MAX},
        )
    text = rules.TOKEN_PREFIX + ids.token(30)
    now = clock.now()
    made = Token.objects.create(
        hash=selectors.token_hash(text),
        beginning=text[:9],
        name=name.strip()[:120],
        staff=None if machine else by,
        scopes=wanted,
        per_minute=per_minute,
        created_by=by.email,
        created_at=now,
        expires_at=None if days is None else now + dt.timedelta(days=days),
    )
    return made, text


def revoke_token(by: Staff, token_id: int) -> None:
    """Let a token open nothing any more; one's own, or any with the right to manage keys."""
    token = selectors.token(token_id)
    if token.staff_id != by.pk and not by.may(Right.MANAGE_KEYS):
        raise Denied(_("this token is not yours"), _("Ask an owner to revoke it."))
    if not Token.objects.filter(pk=token_id, revoked_at=None).update(revoked_at=clock.now()):
        raise Conflict(
            _("the token “%(name)s” was revoked before") % {"name": token.name}, _("There is nothing to do.")
        )


def note_used(token_id: int) -> None:
    """Note that a token was used, at most once a minute: a busy one would else write on every request."""
    now = clock.now()
    unnoted = Q(last_used_at=None) | Q(last_used_at__lt=now - rules.TOKEN_USE_NOTED)
    Token.objects.filter(unnoted, pk=token_id).update(last_used_at=now)


def _scopes(scopes: Iterable[str]) -> list[Scope]:
    try:
        wanted = sorted({Scope(scope) for scope in scopes})
    except ValueError as error:
        raise Invalid(
            _("%(error)s of a token") % {"error": error},
            _("There are %(names)s.") % {"names": ", ".join(Scope)},
        ) from None
    if not wanted:
        raise Invalid(_("nothing was chosen that the token opens"), _("Choose at least one scope."))
    return wanted
