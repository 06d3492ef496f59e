"""The tables of pacing: experiments, who is held out of each, the pause of marketing and that of everything."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Experiment(models.Model):
    """A name under which some people are deliberately not treated, and which share of them."""

    key = models.CharField(max_length=64, primary_key=True)
    meaning = models.TextField(default="")
    share_ratio = models.FloatField()  # of people who are asked about for the first time from now on
    created_at = models.DateTimeField()


class Holdout(models.Model):
    """What a subject was given at first use, for good. One row per subject, so that un-merging splits it."""

    pk = models.CompositePrimaryKey("experiment", "subject")
    experiment = models.CharField(max_length=64)
    subject = models.BigIntegerField()
    is_held_out = models.BooleanField()
    assigned_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject"], name="pacing_holdout_subject")
        ]


class Pause(models.Model):
    """That nothing but service messages leaves, since when, who said so and why; no row: all may leave."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    since = models.DateTimeField()
    by = models.CharField(max_length=254)
    why = models.TextField(default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(id=1), name="pacing_one_pause")
        ]


class PauseAll(models.Model):
    """A stretch in which nothing left but what colleagues need: since when, who stopped it, why, until when.

    Rows are kept, so that everybody can see when we were silent and on whose word.
    """

    id = models.BigAutoField(primary_key=True)
    since = models.DateTimeField()
    by = models.CharField(max_length=254)
    why = models.TextField(default="")
    n_in_flight = models.PositiveIntegerField(default=0)  # handed over before, and not yet answered
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=254, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                models.Case(models.When(ended_at__isnull=True, then=models.Value(1))),
                name="pacing_one_pause_all",
            )
        ]
