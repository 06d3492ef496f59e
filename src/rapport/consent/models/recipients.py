"""Who outside the firm gets personal data: a register that customers read and that every request of ours asks."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Recipient(models.Model):
    """One outside place that personal data can go to. A row that ended stays: what left before is still there."""

    name = models.CharField(max_length=120)  # the firm's name, as customers know it
    kind = models.CharField(max_length=16)  # endpoint, webhook, mail_house
    host = models.CharField(max_length=260)  # with its port where that is not 443
    fields = models.JSONField(default=list)  # what may go there; nothing else does
    purpose = models.CharField(max_length=32)
    country = models.CharField(max_length=64, default="")  # where the data is then kept
    why = models.TextField(default="")  # in words for the customer
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    by = models.CharField(max_length=255, db_column="registered_by", default="")
    last_sent_at = models.DateTimeField(null=True)
    n_sent = models.BigIntegerField(default=0)  # requests, answered or not

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["host", "purpose"],
                name="consent_recipient_one",
                condition=models.Q(until__isnull=True),
            )
        ]
