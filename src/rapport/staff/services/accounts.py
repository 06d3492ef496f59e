"""What is done with staff accounts: set-up, links that let in, roles and settings."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.conf import settings
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from rapport.kit import clock, ids, money
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.staff import rules, selectors
from rapport.staff.models import LoginLink, Organisation, Staff
from rapport.staff.rules import Right, Role


def create_login_link(staff: Staff | None = None, ttl: dt.timedelta | None = None) -> str:
    """A one-time token that lets `staff` in; without staff, the token that opens set-up."""
    token = ids.token()
    now = clock.now()
    LoginLink.objects.filter(expires_at__lt=now - dt.timedelta(days=30)).delete()
    LoginLink.objects.create(
        token_hash=selectors.token_hash(token),
        staff=staff,
        created_at=now,
        expires_at=now + (ttl or (rules.LOGIN_LINK_TTL if staff else rules.SETUP_LINK_TTL)),
    )
    return token


def redeem(token: str) -> Staff | None:
    """Use a token up and give whose it was, or None where it was the set-up token.

    Raises NotFound where it is unknown, expired or used; of two who come at once, one gets in.
    """
    link = selectors.usable_link(token)
    taken = link and LoginLink.objects.filter(pk=link.pk, used_at=None).update(used_at=clock.now())
    if not link or not taken:
        raise NotFound(
            _("this link has expired or was used before"),
            _("Ask for a new one, or log in with your e-mail address and password."),
        )
    return link.staff


def create_owner(
    *,
    name: str,
    email: str,
    password: str,
    organisation: str,
    timezone: str = "UTC",
    language: str = "en",
    currency: str = "EUR",
) -> Staff:
    """Set the installation up: the organisation and its first owner, in one transaction."""
    _check_zone(timezone)
    _check_language(language)
    _check_organisation(organisation, currency)
    now = clock.now()
    with transaction.atomic():
        if selectors.is_set_up():
            raise Conflict(
                _("this installation has an owner already"), _("Log in, or ask the owner to invite you.")
            )
        owner = _create(name=name, email=email, role=Role.OWNER, language=language, timezone=timezone)
        _set_password(owner, password)
        Organisation.objects.update_or_create(
            id=1,
            defaults={
                "name": organisation.strip(),
                "currency": currency.upper(),
                "timezone": timezone,
                "language": language,
                "created_at": now,
            },
        )
    return owner


def set_up(token: str, **fields: str) -> Staff:
    """`create_owner` with the set-up token used up in the same transaction."""
    with transaction.atomic():
        if redeem(token) is not None:
            raise Denied(_("this link lets somebody in but opens no set-up"), _("Log in with it instead."))
        return create_owner(**fields)


def change_organisation(by: Staff, *, name: str, currency: str, timezone: str, language: str) -> None:
    """Rename the organisation or change what its figures are shown in."""
    _need(by, Right.MANAGE_STAFF)
    _check_zone(timezone)
    _check_language(language)
    _check_organisation(name, currency)
    Organisation.objects.filter(id=1).update(
        name=name.strip(), currency=currency.upper(), timezone=timezone, language=language
    )


def _check_organisation(name: str, currency: str) -> None:
    if not name.strip():
        raise Invalid(_("the organisation has no name"), _("Write the name that your customers know."))
    if currency.upper() not in money.CURRENCIES:
        raise Invalid(
            _("“%(value)s” is not a currency") % {"value": currency},
            _("Write its three letters, such as EUR."),
        )


def invite(by: Staff, *, email: str, name: str, role: str) -> tuple[Staff, str]:
    """Create an account without a password, and the one-time token that lets its owner in."""
    _need(by, Right.MANAGE_STAFF)
    firm = selectors.organisation()
    with transaction.atomic():
        staff = _create(
            name=name,
            email=email,
            role=_role(role),
            language=firm.language if firm else by.language,
            timezone=firm.timezone if firm else by.timezone,
        )
        staff.set_unusable_password()
        staff.save(update_fields=["password"])
        return staff, create_login_link(staff, rules.INVITATION_TTL)


def change_role(by: Staff, staff: Staff, role: str) -> None:
    """Give somebody another role; the last owner stays one."""
    _need(by, Right.MANAGE_STAFF)
    with transaction.atomic():
        wanted = _role(role)
        if wanted != Role.OWNER:
            _keep_an_owner(staff)
        Staff.objects.filter(pk=staff.pk).update(role=wanted)


def let_in(by: Staff, staff: Staff, *, active: bool) -> None:
    """Close somebody's account, or open it again; what they did stays."""
    _need(by, Right.MANAGE_STAFF)
    with transaction.atomic():
        if not active:
            _keep_an_owner(staff)
            LoginLink.objects.filter(staff=staff, used_at=None).delete()
        Staff.objects.filter(pk=staff.pk).update(is_active=active)


def new_link_for(by: Staff, staff: Staff) -> str:
    """A fresh one-time link for somebody who lost the password."""
    _need(by, Right.MANAGE_STAFF)
    if not staff.is_active:
        raise Conflict(_("the account %(email)s is closed") % {"email": staff.email}, _("Open it first."))
    return create_login_link(staff, rules.INVITATION_TTL)


def change_settings(
    staff: Staff,
    *,
    name: str | None = None,
    language: str | None = None,
    timezone: str | None = None,
    has_keys: bool | None = None,
) -> None:
    """Change what somebody set for themselves; what is None stays."""
    if language is not None:
        _check_language(language)
        staff.language = language
    if timezone is not None:
        _check_zone(timezone)
        staff.timezone = timezone
    if name is not None:
        staff.name = name.strip()
    if has_keys is not None:
        staff.has_keys = has_keys
    staff.save(update_fields=["name", "language", "timezone", "has_keys"])


def change_theme(staff: Staff, theme: str) -> None:
    """Light, dark, or as the device says."""
    if theme not in rules.THEMES:
        raise Invalid(
            _("“%(value)s” is no theme") % {"value": theme},
            _("There are %(names)s.") % {"names": ", ".join(rules.THEMES)},
        )
    staff.theme = theme
    staff.save(update_fields=["theme"])


def note_seen(staff: Staff) -> dt.datetime | None:
    """Note that somebody looks at Home now; gives when they were last here before this time."""
    now = clock.now()
    if staff.seen_at is None or now - staff.seen_at > rules.ABSENCE:
        staff.seen_before_at = staff.seen_at
    staff.seen_at = now
    staff.save(update_fields=["seen_at", "seen_before_at"])
    return staff.seen_before_at


def change_password(staff: Staff, *, current: str, new: str) -> None:
    """Set a new password; the current one is asked for where there is one."""
    if staff.has_usable_password() and not staff.check_password(current):
        raise Denied(_("the current password is not right"), _("Type the password you logged in with."))
    _set_password(staff, new)


def _create(*, name: str, email: str, role: str, language: str, timezone: str) -> Staff:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid(
            _("“%(value)s” is not an e-mail address") % {"value": email},
            _("Write it like alice@example.com."),
        ) from None
    if Staff.objects.filter(email=address).exists():
        raise Conflict(
            _("%(email)s has an account already") % {"email": address},
            _("Change its role in the list of staff."),
        )
    return Staff.objects.create(
        email=address,
        name=name.strip(),
        role=role,
        language=language,
        timezone=timezone,
        joined_at=clock.now(),
    )


def _set_password(staff: Staff, password: str) -> None:
    try:
        password_validation.validate_password(password, staff)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), _("Several unrelated words make a good password.")) from None
    staff.set_password(password)
    staff.save(update_fields=["password"])


def _keep_an_owner(staff: Staff) -> None:
    others = Staff.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=staff.pk)
    if staff.role == Role.OWNER and not others.exists():
        raise Conflict(
            _("%(email)s is the only owner") % {"email": staff.email}, _("Make somebody else an owner first.")
        )


def _need(by: Staff, right: Right) -> None:
    if not by.may(right):
        raise Denied(_("your role may not manage staff"), _("Ask an owner."))


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise Invalid(
            _("“%(value)s” is no role") % {"value": role},
            _("There are %(names)s.") % {"names": ", ".join(Role)},
        ) from None


def _check_zone(timezone: str) -> None:
    if timezone not in zoneinfo.available_timezones():
        raise Invalid(
            _("“%(value)s” is no time zone") % {"value": timezone}, _("Choose one such as Europe/Madrid.")
        )


def _check_language(language: str) -> None:
    if language not in dict(settings.LANGUAGES):
        raise Invalid(
            _("“%(value)s” is no language of the screens") % {"value": language},
            _("Choose one from the list."),
        )
