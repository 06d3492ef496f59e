"""What is kept: the figures behind each statement by subject, what people said of them, the firm's questions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Statement(models.Model):
    """What one subject adds to what its person cares about, thinks or stands for, by one kind of origin.

    Sums, because sums of the subjects of a person are the person's: merging moves no row, and un-merging
    gives each side back what came by its own identifiers. What follows from the sums is worked out on reading.
    """

    pk = models.CompositePrimaryKey("subject", "kind", "about", "origin")
    subject = models.BigIntegerField()
    kind = models.CharField(max_length=8)  # attitude, interest, opinion
    about = models.CharField(max_length=48)  # key of an aspect, a topic or a question
    origin = models.CharField(max_length=8)  # declared, observed, inferred
    n = models.IntegerField()  # texts, answers, or weeks in which it was shown
    weight = models.FloatField()  # of these, as they count today
    moment = models.FloatField(default=0)  # sum of weight times stance in [-1, 1]
    square = models.FloatField(
        default=0
    )  # of a stance: weight times its square; of an interest: squared weights
    doubt = models.FloatField(default=0)  # sum of weight times the variance that the reading of a text has
    of_all = models.FloatField(default=0)  # of an interest: the weight of everything the subject turned to
    share = models.FloatField(default=0)  # of an interest: of everybody's attention; in [0, 1]
    recent_weight = models.FloatField(default=0)  # of `weight`, what is not older than rules.RECENT_DAYS
    recent_moment = models.FloatField(default=0)
    evidence = models.TextField(default="[]")  # JSON as in rules.Evidence, three at most
    made_at = models.DateTimeField()
    version = models.CharField(max_length=32)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "about", "subject"], name="aio_statement_about")
        ]


class Word(models.Model):
    """What the person, or staff for them, said of a statement: it is wrong, or this is right. It outlives every
    refresh, and what is called wrong is not worked out again."""

    pk = models.CompositePrimaryKey("subject", "kind", "about")
    subject = models.BigIntegerField()  # of the identifier it was said by, or for
    kind = models.CharField(max_length=8)
    about = models.CharField(max_length=48)
    state = models.CharField(max_length=10)  # said_wrong, corrected
    value = models.FloatField(
        null=True
    )  # what is right, where they said it: stance in [-1, 1] or affinity in [0, 1]
    made_by = models.CharField(max_length=255)  # `person`, or who of the staff
    made_at = models.DateTimeField()


class Question(models.Model):
    """A promise of the firm, or a question of its market, and the words by which people answer it unasked."""

    key = models.CharField(max_length=48, unique=True)
    title = models.CharField(max_length=120)  # the sentence one can agree to: `Delivers in two days`
    is_promise = models.BooleanField(default=True)  # else a question of the market
    words = models.JSONField(default=dict)  # by ISO 639-1 language: about, yes, no; lists of phrases
    answers = models.JSONField(default=list)  # questions of surveys that ask it: question, low, high
    is_active = models.BooleanField(default=True)
    changed_by = models.CharField(max_length=254, default="")
    changed_at = models.DateTimeField()


class Topic(models.Model):
    """Something people turn to, as it was found in the catalogue, on the site or among the communities."""

    key = models.CharField(max_length=48, unique=True)
    title = models.CharField(max_length=120)
    source = models.CharField(max_length=10)  # category, section, space, wish
    words = models.JSONField(default=list)  # by which it is recognised in searches and texts
    n_people = models.BigIntegerField(default=0)


class Refresh(models.Model):
    """One working out of everybody's statements: what it read and found. It holds figures, no people."""

    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    duration_s = models.FloatField(default=0)
    version = models.CharField(max_length=32)
    n_people = models.BigIntegerField(default=0)  # of whom anything is stated
    n_statements = models.BigIntegerField(default=0)
    counts = models.JSONField(default=list)  # how people stand, as in rules.Standing
    error = models.TextField(default="")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-started_at"], name="aio_refresh_newest")
        ]
