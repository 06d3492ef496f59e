"""The tables of the portfolio: every version of the policy, and what was simulated before it was switched on."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class PolicyVersion(models.Model):
    """The policy as it was from a moment on; the newest is in force. Rows are added, and never changed."""

    content = models.JSONField()
    is_on = models.BooleanField(default=False)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=255)
    why = models.TextField(default="")
    simulation = models.BigIntegerField(null=True)  # that was looked at before it was switched on


class SimulationRun(models.Model):
    """The firm's past contacts, answered as at present and by one version of the policy. It holds figures, no people."""

    content = models.JSONField()  # the policy that was tried
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=255)
    since = models.DateTimeField()
    until = models.DateTimeField()
    result = models.JSONField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-made_at"], name="portfolio_simulation_newest")
        ]
