"""Questions about staff and the organisation."""

from __future__ import annotations

import hashlib

from django.utils.translation import gettext as _

from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.staff import rules
from rapport.staff.models import LoginLink, Organisation, Staff


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
