"""The tables of messaging: accounts of channels, every intended delivery and answer, confirmations, clicks."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Account(models.Model):
    """How a channel is set up here, and how it fares."""

    channel = models.CharField(max_length=32, primary_key=True)
    config = models.JSONField(default=dict)  # without secrets
    sealed = models.TextField(blank=True)  # the secrets, encrypted with the installation's key
    postal_address = models.TextField(blank=True)  # the law wants it below every message
    changed_at = models.DateTimeField()
    trouble = models.TextField(blank=True)  # why nothing can leave by it, in the server's words
    trouble_since = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)  # when it last took a message


class Delivery(models.Model):
    """One message meant for one address: written before anything leaves, and what became of it."""

    class State(models.TextChoices):
        PLANNED = "planned"
        SENDING = "sending"
        SENT = "sent"
        WITHHELD = "withheld"
        FAILED = "failed"
        UNKNOWN = "unknown"  # the server may have taken it: we ended before its answer was noted

    id = models.UUIDField(primary_key=True)
    key = models.CharField(max_length=200, unique=True)  # whoever asks twice with one key sends once
    identifier = models.CharField(max_length=290)  # empty once the person is erased
    purpose = models.CharField(max_length=64)
    channel = models.CharField(max_length=32)
    # By which it is posted; empty: the channel sends it.
    source = models.CharField(max_length=48, blank=True, default="", db_default="")
    template = models.CharField(max_length=64)
    campaign = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=16, blank=True)
    context = models.JSONField(default=dict)  # emptied when its fate is known
    links = models.JSONField(default=list)  # where the counted links of the message lead, in order
    is_service = models.BooleanField()
    state = models.CharField(max_length=8, choices=State.choices)
    reason = models.CharField(max_length=48, blank=True)  # a code: why withheld, failed or unsure
    answer = models.TextField(blank=True)  # the server's last words
    transcript = models.TextField(blank=True)  # the whole dialogue: of failures and of tests
    tries = models.PositiveSmallIntegerField(default=0)
    planned_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)  # not worth sending any more
    sending_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    maybe_twice_at = models.DateTimeField(null=True)  # sent again after an ending that left it unsure
    is_told = models.BooleanField(default=False)  # whether the log has the event of its fate

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # What waits, service messages first; small, since what has a fate leaves it.
            models.Index(
                fields=["-is_service", "next_try_at", "id"],
                name="messaging_delivery_due",
                condition=models.Q(state="planned"),
            ),
            models.Index(
                fields=["id"], name="messaging_delivery_flight", condition=models.Q(state="sending")
            ),
            models.Index(fields=["id"], name="messaging_delivery_untold", condition=models.Q(is_told=False)),
            models.Index(fields=["-planned_at", "-id"], name="messaging_delivery_newest"),
            models.Index(fields=["state", "-planned_at", "-id"], name="messaging_delivery_state"),
            models.Index(fields=["identifier"], name="messaging_delivery_whose"),
            models.Index(fields=["campaign", "state"], name="messaging_delivery_campaign"),
        ]


class Reply(models.Model):
    """What one answer says, to what, and on whose word: of a delivery that answers somebody."""

    delivery = models.UUIDField(primary_key=True)
    source = models.CharField(max_length=48, blank=True)  # where what it answers was read
    network = models.CharField(max_length=32, blank=True)
    venue = models.CharField(max_length=192, blank=True)
    conversation = models.CharField(max_length=64, blank=True)
    in_reply_to = models.CharField(max_length=512, blank=True)
    thread = models.CharField(max_length=512, blank=True)
    subject_line = models.TextField(blank=True)
    text = models.TextField(blank=True)  # as it leaves, with the disclosure
    pictures = models.JSONField(default=list, db_default=[])  # that go along: each as listening keeps it
    is_public = models.BooleanField()
    was_asked = models.BooleanField()
    promotes = models.BooleanField(default=False)  # counts against help where the venue weighs the two
    by = models.CharField(max_length=254, blank=True)
    approved_by = models.CharField(max_length=254, blank=True)
    planned_at = models.DateTimeField()
    post_id = models.CharField(max_length=512, blank=True)  # the network's own number of it
    url = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["venue", "-planned_at"], name="messaging_reply_venue"),
            models.Index(fields=["conversation"], name="messaging_reply_conv"),
        ]


class Confirmation(models.Model):
    """A consent that was asked for by somebody who typed an address, until its reader says so too."""

    id = models.UUIDField(primary_key=True)
    identifier = models.CharField(max_length=290, db_index=True)
    purpose = models.CharField(max_length=64)
    channel = models.CharField(max_length=32)
    shown = models.TextField(blank=True)
    wording = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)


class Click(models.Model):
    """One fetch of a counted link; whether a machine did it is decided a moment later."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.UUIDField()
    position = models.PositiveSmallIntegerField()
    clicked_at = models.DateTimeField()
    is_head = models.BooleanField()
    is_scanner = models.BooleanField()  # the fetcher names itself as one
    is_told = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["delivery", "clicked_at"], name="messaging_click_of"),
            models.Index(fields=["id"], name="messaging_click_untold", condition=models.Q(is_told=False)),
        ]


class Asked(models.Model):
    """That something was asked for just now, by keyed hash of who asked: what limits how often."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=32)
    who = models.CharField(max_length=64)
    asked_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "who", "asked_at"], name="messaging_asked_who"),
            models.Index(fields=["asked_at"], name="messaging_asked_at"),
        ]
