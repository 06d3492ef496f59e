"""The tables of onsite: sites with their settings, places on their pages, and every text a banner showed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Site(models.Model):
    """One site that carries the visitor script."""

    source = models.CharField(max_length=64, unique=True)  # of its events
    key = models.CharField(max_length=64, unique=True)  # public: it stands in every page
    is_on = models.BooleanField(default=True)
    origins = models.JSONField(default=list)  # where its pages live; nobody else may send
    before_consent = models.CharField(max_length=8, default="nothing")  # nothing, count
    is_asking = models.BooleanField(default=True)  # whether the banner opens
    purposes = models.JSONField(default=list)  # keys of what it asks for, in order
    texts = models.JSONField(default=dict)  # the firm's own words by language
    language = models.CharField(max_length=8, default="en")  # where the visitor's is not spoken
    search = models.JSONField(default=list)  # parameters that hold what was searched for
    forms = models.JSONField(default=list)  # whose marked fields may be sent
    greets = models.BooleanField(default=False)
    ask_again_days = models.IntegerField(default=180)
    login = models.IntegerField(default=1)  # counts up when the login secret is replaced
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=255, default="")


class Slot(models.Model):
    """A named place on a site, and what stands in it by language."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=8)  # greeting, text, survey
    content = models.JSONField(default=dict)  # language: {text, named, href}
    is_on = models.BooleanField(default=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["site", "name"], name="onsite_slot_name")
        ]


class Shown(models.Model):
    """A text that a banner showed, under the version that every answer to it names. Never changed."""

    version = models.CharField(max_length=64, primary_key=True)
    purpose = models.CharField(max_length=32)
    language = models.CharField(max_length=8)
    text = models.TextField()
    first_at = models.DateTimeField()


class Withdrawn(models.Model):
    """A browser whose owner took consent back elsewhere, as a keyed hash; it is told so when it speaks next."""

    hash = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField(db_column="withdrawn_at")


class ChatDesk(models.Model):
    """How a site's chat is set up."""

    site = models.OneToOneField(Site, models.CASCADE, primary_key=True, related_name="+")
    is_on = models.BooleanField(default=False)
    hours = models.JSONField(default=dict)  # weekday: [[from, until]]; empty: always
    zone = models.CharField(max_length=64, default="UTC")
    greeting = models.JSONField(default=dict)  # language: the firm's own words
    within_min = models.PositiveIntegerField(default=60)  # an answer is promised within, of opening hours
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=255, default="")


class Chat(models.Model):
    """One browser's chat; its number is made of a secret that only that browser holds."""

    id = models.CharField(max_length=40, primary_key=True)
    site = models.ForeignKey(Site, models.CASCADE, related_name="+")
    language = models.CharField(max_length=8)
    mail = models.CharField(max_length=254, blank=True)  # to answer to, and no proof of anything
    began_at = models.DateTimeField()
    heard_at = models.DateTimeField()  # when the window last asked
    heard_upto = models.BigIntegerField(default=0)  # the last line that it has
    mailed_upto = models.BigIntegerField(default=0)  # and the last that went by mail instead
    unmailed_upto = models.BigIntegerField(default=0)  # the last that should have, and did not
    unmailed_why = models.CharField(max_length=48, blank=True)  # a code: `limit`, or why it was withheld

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["heard_at"], name="onsite_chat_heard"),
        ]


class ChatLine(models.Model):
    """One thing said in a chat, by either side."""

    id = models.BigAutoField(primary_key=True)
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="+", related_query_name="line")
    key = models.CharField(max_length=110, unique=True)  # whoever hands a line over twice is taken once
    is_ours = models.BooleanField()
    text = models.TextField()
    said_at = models.DateTimeField()


class ChatPresence(models.Model):
    """That a colleague has the inbox open."""

    staff = models.BigIntegerField(primary_key=True)
    seen_at = models.DateTimeField()
