"""Tables of venues: what a card says here beyond the published rules, and who we are in public."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Card(models.Model):
    """What the firm says of a venue, over the card that Rapport starts with."""

    venue = models.CharField(max_length=192, primary_key=True)
    values = models.JSONField(default=dict)  # as RuleCard writes them down; only what differs
    changed_by = models.CharField(max_length=254, blank=True)
    changed_at = models.DateTimeField()


class Face(models.Model):
    """What else the firm and its products are called, and which addresses and accounts are its own."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    names = models.JSONField(default=list)
    domains = models.JSONField(default=list)
    handles = models.JSONField(default=list)
    changed_by = models.CharField(max_length=254, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(id=1), name="venues_one_face")
        ]


class Silence(models.Model):
    """A place where nothing public is said for now, because our replies there did harm; gone once somebody lifts it."""

    venue = models.CharField(max_length=255, primary_key=True)
    since = models.DateTimeField()
