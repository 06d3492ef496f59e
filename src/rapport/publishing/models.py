"""Tables of publishing: posts of our own and where each went, broadcasts with the comments that came in."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from rapport.kit import clock, ids


class Post(models.Model):
    """Something the firm means to say on its own pages, and how far it got."""

    class State(models.TextChoices):
        DRAFT = "draft"
        WAITING = "waiting"  # for somebody's approval
        APPROVED = "approved"  # without a time yet
        PLANNED = "planned"  # approved, and its time is set
        LEAVING = "leaving"
        PUBLISHED = "published"
        FAILED = "failed"  # on one network at least: each row of it says why
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    text = models.TextField(blank=True)
    texts = models.JSONField(default=dict)  # source to text, where one says it otherwise
    pictures = models.JSONField(default=list, db_default=[])  # in their order, each as listening keeps it
    sources = models.JSONField(default=list)
    language = models.CharField(max_length=16, blank=True)
    campaign = models.CharField(max_length=64, blank=True)
    planned_at = models.DateTimeField(null=True, db_index=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT)
    author = models.CharField(max_length=254)
    approver = models.CharField(max_length=254, blank=True)
    approved_at = models.DateTimeField(null=True)
    sent_back = models.TextField(blank=True)  # why somebody sent it back
    version = models.PositiveIntegerField(
        default=1
    )  # of its words, pictures and time: who approves, approves one of them
    created_at = models.DateTimeField(default=clock.now)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "planned_at"], name="publishing_post_due")
        ]


class Posting(models.Model):
    """One post on one network: written before it leaves, with the name that messaging knows it by."""

    class State(models.TextChoices):
        LEAVING = "leaving"
        PUBLISHED = "published"
        WITHHELD = "withheld"
        FAILED = "failed"
        UNKNOWN = "unknown"  # the network may have it: nobody could say

    of = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="postings")
    source = models.CharField(max_length=48)
    key = models.CharField(max_length=200, unique=True)
    tries = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=9, choices=State.choices, default=State.LEAVING)
    network = models.CharField(max_length=32, blank=True)
    post_id = models.CharField(max_length=512, blank=True)
    url = models.TextField(blank=True)
    answer = models.TextField(blank=True)  # the network's words, or why it did not leave
    text = models.TextField(blank=True)  # as it left
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["of", "source"], name="publishing_posting_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["state"], name="publishing_posting_open", condition=models.Q(state="leaving")
            )
        ]


class Broadcast(models.Model):
    """Something of ours that runs live, and which comments belong to it."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    title = models.CharField(max_length=160)
    sources = models.JSONField(default=list)
    joins = models.JSONField(
        default=list
    )  # what a comment names: #tag, a post's number, a venue; none: all of them
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    product = models.CharField(max_length=160, blank=True)  # the one that is shown now
    price_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    url = models.TextField(blank=True)
    pinned_at = models.DateTimeField(null=True)
    pinned_by = models.CharField(max_length=254, blank=True)
    token = models.BigIntegerField(default=0)  # moves on with every change that a desk shows
    n_comments = models.BigIntegerField(default=0)
    author = models.CharField(max_length=254, blank=True)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["starts_at", "ends_at"], name="publishing_broadcast_when")
        ]


class Bunch(models.Model):
    """Comments that say the same: shown once, answered once."""

    class State(models.TextChoices):
        OPEN = "open"
        ANSWERED = "answered"
        WAITING = "waiting"  # the answer is written and waits for approval
        HIDDEN = "hidden"

    id = models.BigAutoField(primary_key=True)
    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="bunches")
    text = models.TextField()
    language = models.CharField(max_length=16, blank=True)
    is_question = models.BooleanField()
    is_pinned = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    n = models.PositiveIntegerField(default=0)
    n_since = models.PositiveIntegerField(default=0)  # that came after it was answered
    token = models.BigIntegerField(default=0)  # of the broadcast when it last changed
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    is_each = models.BooleanField(default=False)  # answered to each, and not once for all
    answered_by = models.CharField(max_length=254, blank=True)
    answered_at = models.DateTimeField(null=True)
    withheld = models.TextField(blank=True)  # why the answer did not leave

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["broadcast", "state", "is_question", "-id"], name="publishing_bunch_desk"),
            models.Index(fields=["broadcast", "token"], name="publishing_bunch_changed"),
        ]


class Band(models.Model):
    """Where comments that are nearly alike are looked for."""

    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE)
    key = models.BigIntegerField()
    bunch = models.ForeignKey(Bunch, on_delete=models.CASCADE)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["broadcast", "key", "bunch"], name="publishing_band_once")
        ]


class Comment(models.Model):
    """What one person said while a broadcast ran."""

    id = models.BigAutoField(primary_key=True)
    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE)
    bunch = models.ForeignKey(Bunch, on_delete=models.CASCADE, related_name="comments")
    seq = models.BigIntegerField()  # of the event
    subject = models.BigIntegerField(db_index=True)
    identifier = models.CharField(max_length=290, db_index=True)
    author_name = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    source = models.CharField(max_length=128, blank=True)
    network = models.CharField(max_length=32, blank=True)
    venue = models.CharField(max_length=192, blank=True)
    post_id = models.CharField(max_length=512, blank=True)
    thread = models.CharField(max_length=512, blank=True)
    url = models.TextField(blank=True)
    is_public = models.BooleanField(default=True)
    is_answered = models.BooleanField(default=False)
    said_at = models.DateTimeField()
    gathered_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["broadcast", "seq"], name="publishing_comment_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["network", "post_id"], name="publishing_comment_post"),
            models.Index(fields=["bunch", "id"], name="publishing_comment_bunch"),
        ]
