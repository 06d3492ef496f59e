"""What the log keeps in the operational store: what was refused, who was erased, how far each subscriber got."""

from __future__ import annotations

from django.db import models


class Quarantined(models.Model):
    """A touchpoint or a file's row that could not become an event, kept as it came."""

    class State(models.TextChoices):
        WAITING = "waiting"
        REPLAYED = "replayed"
        DISCARDED = "discarded"

    key = models.UUIDField(primary_key=True)  # of source, kind and content: the same refusal is one row
    source = models.CharField(max_length=128)
    batch = models.CharField(max_length=64, blank=True, db_index=True)
    kind = models.CharField(max_length=32)
    body = models.TextField()
    reason = models.CharField(max_length=32, db_index=True)
    field = models.CharField(max_length=128, blank=True)
    message = models.TextField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=254, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "-received_at", "key"])]


class Cursor(models.Model):
    """How far a subscriber has read the log."""

    key = models.CharField(max_length=64, primary_key=True)
    seq = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField()
    error = models.TextField(blank=True)
    failing_since = models.DateTimeField(null=True)


class Erased(models.Model):
    """The keyed hash of an identifier that was erased: whose it was stays out when a file brings it again."""

    hash = models.CharField(max_length=64, primary_key=True)
    erased_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True)  # of the own act by which somebody new came under it
