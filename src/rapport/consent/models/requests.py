"""What people asked of us under the law, what was erased, what staff took out, how long events are kept."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class SubjectRequest(models.Model):
    """One request of a person about their data, and what became of it. Erasure empties who it was."""

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=16)  # access, portability, correction, erasure, objection, restriction
    subject = models.BigIntegerField(null=True)  # of the identifier that it came by
    identifier = models.CharField(max_length=288, default="")
    note = models.TextField(default="")  # in the person's words
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=255)  # `person`, or who of the staff wrote it down
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, default="open")  # open, running, done, refused
    answer = models.TextField(default="")  # what we did, or why we did not
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=255, default="")
    erasure = models.UUIDField(null=True)  # its certificate

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "due_at", "id"], name="consent_request_due"),
            models.Index(fields=["subject"], name="consent_request_subject"),
            models.Index(fields=["-opened_at", "id"], name="consent_request_newest"),
        ]


class Erasure(models.Model):
    """That somebody was erased, when, by whom and how much of them: everything but who it was."""

    id = models.UUIDField(primary_key=True)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(
        null=True
    )  # empty: it runs, or was stopped on the way and will be finished
    by = models.CharField(max_length=255, db_column="erased_by")
    n_identifiers = models.IntegerField(default=0)
    counts = models.JSONField(default=dict)  # rows erased, by store
    took_s = models.FloatField(default=0)
    error = models.TextField(default="")
    # Sealed, and only until it is done: whose it is, so that an erasure stopped on the way is finished.
    whose = models.TextField(default="")
    tried_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-begun_at", "id"], name="consent_erasure_newest")
        ]


class Export(models.Model):
    """One list of people that staff took out: who, for which purpose, why, and how many were on it."""

    id = models.UUIDField(primary_key=True)
    at = models.DateTimeField(db_column="exported_at")
    by = models.CharField(max_length=255, db_column="exported_by")
    purpose = models.CharField(max_length=32)
    channel = models.CharField(max_length=32, default="")
    why = models.TextField()
    columns = models.JSONField(default=list)
    chosen = models.JSONField(default=dict)  # the filter of the list, as asked for
    n_chosen = models.IntegerField(default=0)  # people on the list before the purpose was asked
    n_people = models.IntegerField(default=0)  # people in the file
    mark = models.CharField(max_length=16, unique=True)  # stands in every copy of the file

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-at", "id"], name="consent_export_newest")
        ]


class Retention(models.Model):
    """How long events of one name are kept; a name without a row is kept for good."""

    name = models.CharField(max_length=64, primary_key=True)
    days = models.IntegerField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=255, default="")
    carried_out_at = models.DateTimeField(null=True)
    n_erased = models.BigIntegerField(default=0)  # since the rule was made
