"""Tables of listening: what was imported and how, networks that are read, what is followed, what we posted."""

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
    archives = models.JSONField(default=list)  # the connectors whose networks' archives the file holds
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


class Source(models.Model):
    """A network that we read, or that calls us: how it is set up, how far it was read, what troubles it."""

    class State(models.TextChoices):
        ON = "on"
        OFF = "off"
        NEEDS_LOGIN = "needs_login"  # stopped until somebody enters a log-in that works

    name = models.SlugField(max_length=48, primary_key=True)
    connector = models.CharField(max_length=64)
    network = models.CharField(max_length=32, db_index=True)  # namespace of its handles
    config = models.JSONField(default=dict)  # without secrets
    sealed = models.TextField(blank=True)  # the secrets, encrypted with the installation's key
    state = models.CharField(max_length=12, choices=State.choices, default=State.ON)
    keep_days = models.PositiveIntegerField(null=True)  # the firm's own limit, where shorter than the terms
    asks_approval = models.BooleanField(default=True)  # nothing public leaves without a second pair of eyes
    days_back = models.PositiveSmallIntegerField(default=7)  # how far the first reading goes back
    cursor = models.TextField(blank=True)
    n_said = models.BigIntegerField(default=0)  # what was recorded
    began_at = models.DateTimeField(null=True)  # when it was first read
    seen_at = models.DateTimeField(null=True)  # until then nothing is missing, beside its gaps
    said_at = models.DateTimeField(null=True)  # when something was last recorded
    next_at = models.DateTimeField(null=True)  # not asked again before
    failures = models.PositiveIntegerField(default=0)  # in a row
    trouble = models.TextField(blank=True)  # why it cannot be read, in words
    trouble_hint = models.TextField(blank=True)
    trouble_since = models.DateTimeField(null=True)
    tokens = models.FloatField(null=True)  # requests that may be made at once; null: as many as fit
    tokens_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.CharField(max_length=254, blank=True)


class Gap(models.Model):
    """A stretch of which a source may have missed something. Open while it lasts."""

    source = models.CharField(max_length=48)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=12)
    message = models.TextField(blank=True)
    is_told = models.BooleanField(default=False)  # by the connector: what lies in it cannot be read later
    is_made_good = models.BooleanField(default=False)  # it was read later, from where the reading had ended

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["source", "since"], name="listening_gap_source"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source"], name="listening_gap_open", condition=models.Q(until__isnull=True)
            ),
            models.UniqueConstraint(fields=["source", "since", "reason"], name="listening_gap_once"),
        ]


class Follow(models.Model):
    """A rule over what is said: the words that it needs, those that rule it out, languages and places."""

    key = models.SlugField(max_length=64, primary_key=True)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)
    with_words = models.JSONField(default=list)
    without_words = models.JSONField(default=list)
    languages = models.JSONField(default=list)
    places = models.JSONField(default=list)  # starts of venues
    is_on = models.BooleanField(default=True)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.CharField(max_length=254, blank=True)


class Posted(models.Model):
    """What we posted ourselves, written before it left: its echo is known by it, and nothing leaves twice."""

    class State(models.TextChoices):
        SENDING = "sending"
        POSTED = "posted"
        REFUSED = "refused"

    id = models.CharField(max_length=200, primary_key=True)  # of the draft
    source = models.CharField(max_length=48)
    network = models.CharField(max_length=32)
    state = models.CharField(max_length=8, choices=State.choices)
    post_id = models.CharField(max_length=512, blank=True)
    url = models.TextField(blank=True)
    answer = models.TextField(blank=True)
    digest = models.CharField(
        max_length=64
    )  # of the words, so that an echo is known that comes before its id
    answered = models.CharField(max_length=64, blank=True)  # digest of what it answers
    at = models.DateTimeField()
    posted_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["network", "post_id"], name="listening_posted_post"),
            models.Index(
                fields=["source"], name="listening_posted_sent", condition=models.Q(state="sending")
            ),
        ]


class Kept(models.Model):
    """What the connector of a source keeps from day to day, under a key of its own."""

    source = models.CharField(max_length=48)
    key = models.CharField(max_length=200)
    value = models.JSONField()
    identifier = models.CharField(max_length=320, blank=True, db_index=True)  # of whom it tells
    until = models.DateTimeField(null=True, db_index=True)  # null: until the connector drops it
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["source", "key"], name="listening_kept_key")
        ]


class Withdrawal(models.Model):
    """A post that was taken back on its network, until the log no longer holds its words."""

    network = models.CharField(max_length=32)
    post_id = models.CharField(max_length=512)
    upto_seq = models.BigIntegerField()  # of what took it back; what was said before goes
    told_at = models.DateTimeField()
    due_at = models.DateTimeField()  # the network's terms: gone by then

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["network", "post_id"], name="listening_withdrawal_once")
        ]
