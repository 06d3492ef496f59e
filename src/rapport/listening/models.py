"""Tables of listening: what was imported, and how columns were mapped."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from rapport.kit import clock, ids


class Import(models.Model):
    """One file that was read, or is to be."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    kind = models.CharField(max_length=16)
    source = models.CharField(max_length=128)
    file_name = models.CharField(max_length=255)
    kept_path = models.CharField(
        max_length=1024, blank=True
    )  # our copy of an uploaded file, while we need it
    size_bytes = models.BigIntegerField(default=0)
    fingerprint = models.CharField(max_length=64, db_index=True)
    description = models.CharField(max_length=255, blank=True)  # what the file is: CSV with commas, gzip
    mapping = models.JSONField(default=dict)  # column to field, as used
    wishes = models.JSONField(default=dict)  # column to field, as asked for
    options = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    n_read = models.BigIntegerField(default=0)  # rows of the file
    n_quarantined = models.BigIntegerField(default=0)  # rows refused
    n_recorded = models.BigIntegerField(default=0)  # touchpoints that the other rows became
    n_accepted = models.BigIntegerField(default=0)  # of these, new events
    n_duplicate = models.BigIntegerField(default=0)  # of these, ones the lake had
    first_seq = models.BigIntegerField(null=True)
    last_seq = models.BigIntegerField(null=True)
    position = models.IntegerField(default=0)  # chunks that are durable; a restart begins after them
    totals = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=clock.now, db_index=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    started_by = models.CharField(max_length=254, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["-created_at", "id"])]


class Mapping(models.Model):
    """Which column holds which field, kept under a name to be used again."""

    name = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=16)
    columns = models.JSONField(default=dict)  # column to field
    options = models.JSONField(default=dict)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.CharField(max_length=254, blank=True)
