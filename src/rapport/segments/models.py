"""Segments, their rules over time, and every refresh of who is in them. Members themselves lie in files."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from rapport.kit import ids


class Segment(models.Model):
    """A rule with a name, and how its members stand."""

    key = models.CharField(max_length=64, unique=True)  # by which rules, events and commands name it
    title = models.CharField(max_length=120)
    meaning = models.TextField(default="")
    purpose = models.CharField(max_length=32)  # that it serves; who refuses it is in no such segment
    rule = models.JSONField()
    version = models.IntegerField(default=1)  # of the rule
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=255)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=255)
    refresh = models.IntegerField(default=0)  # number of the last refresh that is done; 0: none yet
    refreshed_version = models.IntegerField(default=0)  # of the rule that it was done with
    refreshed_at = models.DateTimeField(null=True)
    n_members = models.BigIntegerField(default=0)
    error = models.TextField(default="")  # why the last refresh failed
    failed_at = models.DateTimeField(null=True)


class Version(models.Model):
    """The rule as it was from one change to the next."""

    segment = models.BigIntegerField()
    number = models.IntegerField()
    rule = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=255)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["segment", "number"], name="segments_version_number")
        ]


class Refresh(models.Model):
    """One working out of the members. What is prepared will be carried out, by whoever comes next."""

    class State(models.TextChoices):
        PREPARED = "prepared"  # the files are whole; its events may have been recorded
        DONE = "done"

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    segment = models.BigIntegerField()
    number = models.IntegerField()
    version = models.IntegerField()  # of the rule
    state = models.CharField(max_length=8, choices=State.choices, default=State.PREPARED)
    as_of = models.DateTimeField()
    n_members = models.BigIntegerField()
    n_entered = models.BigIntegerField()
    n_left = models.BigIntegerField()
    duration_s = models.FloatField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["segment", "number"], name="segments_refresh_number")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state"], name="segments_refresh_state"),
            models.Index(fields=["segment", "as_of"], name="segments_refresh_as_of"),
        ]


class Size(models.Model):
    """How many were in a segment at the end of a day in UTC, and how many came and went on it."""

    segment = models.BigIntegerField()
    day = models.DateField()
    n_members = models.BigIntegerField()
    n_entered = models.BigIntegerField(default=0)
    n_left = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["segment", "day"], name="segments_size_day")
        ]
