"""Questions about staff and the organisation."""

from __future__ import annotations

import hashlib

from django.utils.translation import gettext as _

from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.staff import rules
from rapport.staff.models import LoginLink, Organisation, Staff, Token


def token_hash(token: str) -> str:
    """What is kept of a link's token; it has 192 random bits, so a plain hash suffices."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_set_up() -> bool:
    """Whether somebody owns this installation yet."""
    return Staff.objects.filter(role=rules.Role.OWNER, is_active=True).exists()


def organisation() -> Organisation | None:
    """The firm, or None before set-up."""
    return Organisation.objects.first()


def currency(default: str = "EUR") -> str:
    """The currency that amounts without one of their own are shown in."""
    firm = organisation()
    return firm.currency if firm else default


def all_staff() -> list[Staff]:
    """Everybody who can log in, or could once, by name."""
    return list(Staff.objects.order_by("-is_active", "name", "email"))


def owner_names() -> list[str]:
    """The owners' names, for a sentence that says whom to ask."""
    owners = Staff.objects.filter(role=rules.Role.OWNER, is_active=True).order_by("id")
    return [owner.name or owner.email for owner in owners]


def staff_by_id(staff_id: int) -> Staff:
    """One member of staff."""
    found = Staff.objects.filter(pk=staff_id).first()
    if found is None:
        raise NotFound(
            _("there is no staff account %(id)s") % {"id": staff_id}, _("Choose one from the list of staff.")
        )
    return found


def staff_by_email(email: str) -> Staff | None:
    """The account with that address, in whatever case it was written."""
    return Staff.objects.filter(email=email.strip().lower()).first()


def usable_link(token: str) -> LoginLink | None:
    """The link behind a token while it can still be used: not expired, not used, its owner active."""
    link = (
        LoginLink.objects.select_related("staff")
        .filter(token_hash=token_hash(token), used_at=None, expires_at__gt=clock.now())
        .first()
    )
    return link if link and (link.staff is None or link.staff.is_active) else None


def first_owner() -> Staff | None:
    """The owner who has been here longest, for the log-in link of the command line."""
    return Staff.objects.filter(role=rules.Role.OWNER, is_active=True).order_by("joined_at", "id").first()


def usable_token(text: str) -> Token | None:
    """The token behind a text while it opens something: known, not revoked, not expired, its owner active."""
    if not text.startswith(rules.TOKEN_PREFIX):
        return None
    found = Token.objects.select_related("staff").filter(hash=token_hash(text), revoked_at=None).first()
    if found is None or (found.expires_at and found.expires_at <= clock.now()):
        return None
    return found if found.staff is None or found.staff.is_active else None


def token_opens(token: Token, scope: rules.Scope) -> bool:
    """Whether a token carries a scope, and, where it is somebody's own, their role still does too."""
    if scope not in token.scopes:
        return False
    return token.staff is None or token.staff.may(rules.SCOPE_RIGHTS[scope])


def token(token_id: int) -> Token:
    """One token by its number."""
    found = Token.objects.select_related("staff").filter(pk=token_id).first()
    if found is None:
        raise NotFound(_("there is no token %(id)s") % {"id": token_id}, _("Choose one from the list."))
    return found


def tokens(of: Staff | None = None) -> list[Token]:
    """Every token, those that still open something first, then the newest; with `of`, one person's own."""
    found = Token.objects.select_related("staff").order_by("revoked_at", "-created_at")
    if of is not None:
        found = found.filter(staff=of)
    return sorted(found, key=lambda t: (t.revoked_at is not None, -t.pk))
