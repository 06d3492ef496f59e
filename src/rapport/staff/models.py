"""Staff accounts. The e-mail address is the log-in name."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models


class Staff(AbstractUser):
    """One person who works with Rapport."""

    class Role(models.TextChoices):
        OWNER = "owner"
        MARKETER = "marketer"
        ANSWERS = "answers"
        ANALYST = "analyst"
        NONE = "none"

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.NONE)
    language = models.CharField(max_length=8, default="en")
    timezone = models.CharField(max_length=64, default="UTC")
    theme = models.CharField(max_length=8, default="auto")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []


class LoginLink(models.Model):
    """A one-time way in; only the hash of its token is kept."""

    token_hash = models.CharField(max_length=64, primary_key=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
