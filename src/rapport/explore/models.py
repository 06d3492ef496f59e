"""Questions that were kept, and what they came to each time they were asked."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Saved(models.Model):
    """A question under a name. `key` stands in its address, and cannot be guessed."""

    class Shared(models.TextChoices):
        MINE = "mine"
        ROLES = "roles"
        LINK = "link"

    class Schedule(models.TextChoices):
        NEVER = "never"
        NIGHTLY = "nightly"
        WEEKLY = "weekly"

    key = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=120, unique=True)
    question = models.TextField()  # JSON, as rules.question.document writes it
    shared = models.CharField(max_length=5, choices=Shared.choices, default=Shared.MINE)
    roles = models.JSONField(default=list)
    schedule = models.CharField(max_length=7, choices=Schedule.choices, default=Schedule.NEVER)
    is_pinned = models.BooleanField(default=False)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()


class Kept(models.Model):
    """One answer to a saved question, or why there is none."""

    id = models.UUIDField(primary_key=True)
    saved = models.ForeignKey(Saved, models.CASCADE, related_name="+")
    at = models.DateTimeField(db_column="asked_at")
    answer = models.TextField(default="")  # JSON; empty where it failed
    error = models.TextField(default="")
    took_s = models.FloatField(default=0)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["saved", "-at"], name="explore_kept_newest"),
        ]
