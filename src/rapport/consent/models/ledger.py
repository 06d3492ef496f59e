"""Purposes, the ledger of what people allowed and refused, their wishes, and whom we must not write to.

As in `people`, no table has a foreign key: `subject` is a number of the log, and a row hangs on the
identifier it came by, so that merging and un-merging people moves nothing here.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Purpose(models.Model):
    """One thing that personal data may be used for, and the legal ground on which."""

    key = models.CharField(max_length=32, primary_key=True)
    name = models.CharField(max_length=80)
    meaning = models.TextField()
    legal_basis = models.CharField(max_length=20)  # consent, contract, legitimate_interest, legal_obligation
    channels = models.JSONField(default=list)  # empty: the purpose reaches nobody, so it has no channel
    expires_days = models.IntegerField(null=True)  # a grant's life; empty: until it is withdrawn
    is_active = models.BooleanField(default=True)
    position = models.IntegerField(default=0)  # in lists and on the customer's page


class Wording(models.Model):
    """One version of the words that people read before they answer; never changed once it was shown."""

    purpose = models.CharField(max_length=32)
    language = models.CharField(max_length=16)
    version = models.CharField(max_length=64)
    text = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=255, default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["purpose", "language", "version"], name="consent_wording_version")
        ]


class Record(models.Model):
    """One answer of one identifier: granted, denied or withdrawn, with its evidence. Rows are only added.

    `identifier` is filled only until the log has numbered it: an answer counts from the moment it is
    given, also from somebody nobody had heard of.
    """

    id = models.UUIDField(primary_key=True)  # of the event in the log
    subject = models.BigIntegerField(null=True)
    identifier = models.CharField(max_length=288, default="")
    purpose = models.CharField(max_length=32)
    channel = models.CharField(max_length=32, default="")  # empty: every channel
    state = models.CharField(max_length=10)  # granted, denied, withdrawn
    at = models.DateTimeField(db_column="stated_at")
    expires_at = models.DateTimeField(null=True)
    how = models.CharField(max_length=32, default="")
    shown = models.TextField(default="")
    wording = models.CharField(max_length=64, default="")
    source = models.CharField(max_length=255)
    seq = models.BigIntegerField(null=True)
    changed_seq = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject", "purpose"], name="consent_record_subject"),
            models.Index(fields=["at", "id"], name="consent_record_newest"),
            models.Index(fields=["purpose", "at", "id"], name="consent_record_purpose"),
            models.Index(fields=["changed_seq"], name="consent_record_changed"),
            models.Index(
                fields=["identifier"], name="consent_record_waiting", condition=models.Q(subject__isnull=True)
            ),
        ]


class Topic(models.Model):
    """Something one can hear about, to be chosen among what is allowed."""

    key = models.CharField(max_length=32, primary_key=True)
    name = models.CharField(max_length=80)
    meaning = models.TextField(default="")
    is_active = models.BooleanField(default=True)
    position = models.IntegerField(default=0)


class Preference(models.Model):
    """One wish of one identifier within what is allowed: topics, frequency, pause, language. Rows are only added."""

    id = models.UUIDField(primary_key=True)  # of the event in the log
    subject = models.BigIntegerField(null=True)
    identifier = models.CharField(max_length=288, default="")  # as of Record
    name = models.CharField(max_length=32)
    value = models.TextField()  # JSON
    at = models.DateTimeField(db_column="stated_at")
    source = models.CharField(max_length=255)
    seq = models.BigIntegerField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject", "name"], name="consent_preference_subject"),
            models.Index(
                fields=["identifier"],
                name="consent_preference_waiting",
                condition=models.Q(subject__isnull=True),
            ),
        ]


class Suppression(models.Model):
    """Never send to this identifier on this channel, and why. Kept as a keyed hash, so it outlives an erasure."""

    hash = models.CharField(max_length=64)
    channel = models.CharField(max_length=32, default="")  # empty: every channel
    reason = models.CharField(max_length=16)
    at = models.DateTimeField(db_column="suppressed_at")
    by = models.CharField(max_length=255, db_column="suppressed_by", default="")
    note = models.TextField(default="")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=255, default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["hash", "channel", "reason"],
                name="consent_suppression_one",
                condition=models.Q(lifted_at__isnull=True),
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["hash"], name="consent_suppression_hash")
        ]


class Restriction(models.Model):
    """Somebody contests what we hold: it is kept, and used for nothing that needs consent or our interest."""

    subject = models.BigIntegerField()
    at = models.DateTimeField(db_column="restricted_at")
    by = models.CharField(max_length=255, db_column="restricted_by", default="")
    reason = models.TextField(default="")
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=255, default="")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject"], name="consent_restriction_subject")
        ]


class Warranted(models.Model):
    """One leave to read personal data: for what, by whom, why."""

    id = models.UUIDField(primary_key=True)
    purpose = models.CharField(max_length=32)
    by = models.CharField(max_length=255, db_column="minted_by")
    why = models.TextField()
    at = models.DateTimeField(db_column="minted_at")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["at", "id"], name="consent_warranted_newest")
        ]


class Watermark(models.Model):
    """A counter that only grows; the row's lock is what makes writers of the ledger wait for each other."""

    name = models.CharField(max_length=32, primary_key=True)
    value = models.BigIntegerField()
    epoch = models.CharField(max_length=32)  # tells this database's counter from that of a restored copy
