"""The tables of personas: the cards with what staff wrote, and a portrait of each after every refit. They hold no people."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Card(models.Model):
    """One persona under its key, which it keeps through refits, with the name and the note that staff gave it."""

    key = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120, default="", blank=True)  # empty: it is called by what lifts most
    note = models.TextField(default="", blank=True)
    changed_by = models.CharField(max_length=254, default="")
    changed_at = models.DateTimeField(null=True)
    first_found_at = models.DateTimeField()


class Finding(models.Model):
    """What one fit found: the numbers of personas it tried, and why it chose the one it did."""

    found_at = models.DateTimeField()
    learnt_at = models.DateTimeField(unique=True)  # of the fit; one fit is told once
    version = models.CharField(max_length=64)
    n_people = models.BigIntegerField()  # with a persona
    n_learnt = models.BigIntegerField()  # who were read
    choice = models.JSONField()  # rules.Tried, one for each number

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-found_at"], name="personas_finding_newest")
        ]


class Portrait(models.Model):
    """One persona as one fit found it; figures of many, and numbers of texts whose words stay in the log."""

    card = models.ForeignKey(Card, on_delete=models.CASCADE, related_name="+")
    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="+")
    n = models.BigIntegerField()
    profile = models.JSONField()  # rules.Profile

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["card", "finding"], name="personas_portrait_once")
        ]
