"""What the core remembers of models: runs, what was learnt, how far texts are annotated."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from rapport.kit import ids


class Run(models.Model):
    """One run of one model: what it read, how good it was, how long it took."""

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    seq_from = models.BigIntegerField(null=True)  # the events it could read, both ends inside
    seq_to = models.BigIntegerField(null=True)
    ts_from = models.DateTimeField(null=True)
    ts_to = models.DateTimeField(null=True)
    parameters = models.JSONField(default=dict)
    backtest = models.JSONField(null=True)
    distributions = models.JSONField(default=dict)  # by score name: how the values lie
    drift = models.JSONField(default=dict)  # by score name: population stability index against the run before
    n_in = models.BigIntegerField(default=0)
    n_out = models.BigIntegerField(default=0)
    duration_s = models.FloatField(default=0)
    error = models.TextField(default="")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["model", "-started_at"], name="insights_run_model"),
            models.Index(fields=["-started_at"], name="insights_run_newest"),
        ]


class StoredModel(models.Model):
    """What one fit learnt."""

    name = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    run = models.UUIDField(null=True)  # the run that learnt it
    content = models.BinaryField()
    created_at = models.DateTimeField()
    is_active = models.BooleanField(default=True)  # at most one of a name: the one that scores
    lesson = models.JSONField(
        default=dict
    )  # what the firm taught it, how good before and after, who had it done

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["name", "-created_at"], name="insights_storedmodel_newest")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["name"], name="insights_storedmodel_active", condition=models.Q(is_active=True)
            )
        ]


class AnnotationCursor(models.Model):
    """Which events one version of a model has annotated: all up to `done_seq`, and a later stretch.

    The later stretch grows as texts arrive while older ones still wait to be caught up with.
    """

    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    done_seq = models.BigIntegerField(default=0)
    live_from = models.BigIntegerField(null=True)
    live_to = models.BigIntegerField(null=True)
    n_texts = models.BigIntegerField(default=0)
    n_anew = models.IntegerField(default=0)  # how often this version was told to read everything again
    is_paused = models.BooleanField(
        default=False
    )  # staff stopped the catching up; what arrives is still read
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["model", "version"], name="insights_annotationcursor_version")
        ]


class Correction(models.Model):
    """What a member of staff says a text means, where the model said something else, or the same."""

    seq = models.BigIntegerField()  # of the text's event; the words stay in the log, where they can be erased
    subject = models.BigIntegerField(default=0)  # who wrote it, so that it goes when they go
    name = models.CharField(max_length=64)  # of the annotation
    label = models.CharField(max_length=64)  # what it should be
    said = models.CharField(max_length=64)  # what the model said; empty where it said nothing
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    made_by = models.CharField(max_length=254)
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["seq", "name"], name="insights_correction_text")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["name", "-made_at"], name="insights_correction_newest"),
            models.Index(fields=["subject"], name="insights_correction_subject"),
        ]


class Owed(models.Model):
    """That the log has yet to hear what staff said of a text: written with the correction, gone once it has heard.

    Whoever is killed in between leaves this row behind, and the next round of the jobs tells the log.
    """

    seq = models.BigIntegerField()
    name = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["seq", "name"], name="insights_owed_text")
        ]


class LabelledFile(models.Model):
    """Texts with the labels that the firm gave them, kept so that a model can be taught from them again."""

    model = models.CharField(max_length=64)
    name = models.CharField(max_length=200)  # of the file; another of that name replaces it
    of = models.CharField(max_length=64, default="")  # the annotation that the labels are of
    labels = models.JSONField(default=dict)  # texts by label
    n_texts = models.BigIntegerField()
    content = models.BinaryField()  # Parquet: text, label
    added_by = models.CharField(max_length=254, default="")
    added_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["model", "name"], name="insights_labelledfile_name")
        ]


class Aspect(models.Model):
    """One thing about the firm that people judge, such as delivery, and the words they use for it."""

    key = models.CharField(max_length=64, unique=True)
    title = models.CharField(max_length=200)
    words = models.JSONField(default=dict)  # by ISO 639-1 language: words and phrases
    is_declared = models.BooleanField(default=True)  # else found in what people write, and waiting for a yes
    is_active = models.BooleanField(default=True)
    n_found = models.BigIntegerField(default=0)  # texts that led to it, where it was found
    changed_by = models.CharField(max_length=254, default="")
    changed_at = models.DateTimeField()
