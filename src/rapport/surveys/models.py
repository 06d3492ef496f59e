"""Surveys, their versions, who was invited, how far each response got, the answers, and the quotas.

A response and an invitation hang on the identifier they came by, never on a person: merging and
un-merging people moves none of them.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Survey(models.Model):
    """One questionnaire: the draft that is being written, and how it is put to people."""

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        PAUSED = "paused"
        CLOSED = "closed"

    slug = models.CharField(max_length=64, unique=True)  # its address, and its name in the log
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    draft = models.JSONField()  # a rules.Definition
    version = models.IntegerField(null=True)  # the published one
    places = models.JSONField(default=list)  # link, site, mail
    opens_at = models.DateTimeField(null=True)
    closes_at = models.DateTimeField(null=True)
    target_ratio = models.FloatField(default=1.0)  # of those it could be shown to or sent to
    recontact_days = models.IntegerField(default=30)  # since any survey reached the same person
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=255)
    changed_at = models.DateTimeField()


class Version(models.Model):
    """What was published: never changed afterwards, so that an answer always has its question."""

    pk = models.CompositePrimaryKey("survey", "number")
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="+")
    number = models.IntegerField()
    definition = models.JSONField()
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=255)


class Invitation(models.Model):
    """One intended invitation by mail, and what became of it."""

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="+")
    identifier = models.CharField(max_length=255)
    state = models.CharField(max_length=10)  # planned, sent, withheld
    reason = models.CharField(max_length=64, default="")
    at = models.DateTimeField(db_column="invited_at")
    on_day = models.DateField(db_column="invited_on")
    by = models.CharField(max_length=255, db_column="invited_by")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["survey", "identifier", "on_day"], name="surveys_invitation_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["identifier", "at"], name="surveys_invitation_who")
        ]


class Response(models.Model):
    """One person's way through one version."""

    class State(models.TextChoices):
        OPEN = "open"
        FINISHED = "finished"
        SCREENED_OUT = "screened_out"
        QUOTA_FULL = "quota_full"

    id = models.UUIDField(primary_key=True)
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="+")
    version = models.IntegerField()
    identifier = models.CharField(max_length=255)
    is_signed = models.BooleanField(default=False)  # came by a link that we signed for this identifier
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    place = models.CharField(max_length=8)  # link, site, mail
    language = models.CharField(max_length=16)
    traits = models.JSONField(default=dict)  # known when it began, of those the survey looks at
    started_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["survey", "state", "changed_at"], name="surveys_response_state"),
            models.Index(fields=["identifier", "started_at"], name="surveys_response_who"),
        ]


class Answer(models.Model):
    """What a response says to one question; None where it was put and left empty."""

    pk = models.CompositePrimaryKey("response", "question")
    response = models.ForeignKey(Response, models.CASCADE, related_name="+")
    question = models.CharField(max_length=64)
    value = models.JSONField(null=True)
    revision = models.IntegerField(default=1)  # of what was said: 2 after the first correction
    at = models.DateTimeField(db_column="answered_at")


class Quota(models.Model):
    """How many places of a quota there are; its row's lock is what makes those who take one wait."""

    pk = models.CompositePrimaryKey("survey", "key")
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    n_taken = models.IntegerField(default=0)


class Seat(models.Model):
    """One place of a quota, taken by one response."""

    pk = models.CompositePrimaryKey("response", "key")
    response = models.ForeignKey(Response, models.CASCADE, related_name="+")
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["survey", "key"], name="surveys_seat_quota")
        ]
