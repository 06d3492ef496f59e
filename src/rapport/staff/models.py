"""Staff accounts, the links that let them in, and the organisation they work for."""

from __future__ import annotations

from typing import ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from rapport.kit import clock
from rapport.staff import rules


class Staff(AbstractBaseUser):
    """One person who works with Rapport. The e-mail address is the log-in name."""

    # Django's own permission tables stay unused: a role is the whole of what somebody may do.
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, default="")
    role = models.CharField(max_length=16, choices=[(r.value, r.value) for r in rules.Role], default="none")
    language = models.CharField(max_length=8, default="en")
    timezone = models.CharField(max_length=64, default="UTC")
    theme = models.CharField(max_length=8, default="auto")
    has_keys = models.BooleanField(default=True)  # whether single letters do something (WCAG 2.1.4)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(null=True)  # last looked at Home
    seen_before_at = models.DateTimeField(null=True)  # and in the session before

    objects: ClassVar[BaseUserManager[Self]] = BaseUserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def may(self, right: rules.Right) -> bool:
        """Whether this person's role carries the right."""
        return self.is_active and rules.may(self.role, right)


class LoginLink(models.Model):
    """A one-time way in; only the hash of its token is kept. Without staff it is the set-up link."""

    token_hash = models.CharField(max_length=64, primary_key=True)
    staff = models.ForeignKey(Staff, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Token(models.Model):
    """A key to the API, of a member of staff or of a machine; only its hash is kept."""

    hash = models.CharField(max_length=64, unique=True)
    beginning = models.CharField(max_length=12)  # of its text, so that one can be told from another
    name = models.CharField(max_length=120)
    staff = models.ForeignKey(
        Staff, null=True, on_delete=models.CASCADE, related_name="+"
    )  # empty: a machine
    scopes = models.JSONField(default=list)
    per_minute = models.PositiveIntegerField(default=rules.TOKEN_PER_MINUTE)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)


class Organisation(models.Model):
    """The firm that runs this installation: one row, with what every figure is shown in."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    timezone = models.CharField(max_length=64)
    language = models.CharField(max_length=8)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(id=1), name="staff_one_organisation")
        ]
