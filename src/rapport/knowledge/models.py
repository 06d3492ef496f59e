"""Entries with their wordings and options, facts, notices, what nobody could answer, and how proposals fared.

Whatever holds words of a person names the identifier they came by, so that they can be found and erased.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Entry(models.Model):
    """One problem that can be solved, and how."""

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        RETIRED = "retired"

    key = models.CharField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    solutions = models.JSONField(default=dict)  # language -> text
    needs = models.JSONField(default=list)  # slots that must be known before it can be answered
    fits = models.JSONField(default=dict)  # slot -> the values it is true for; of others it says nothing
    url = models.CharField(max_length=500, default="")  # where more can be read
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    source = models.CharField(max_length=120, default="")  # staff, a file's name, an answer that resolved
    owner = models.CharField(max_length=255, default="")
    review_by = models.DateField(null=True)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=255)
    title_meaning = models.BinaryField(null=True)  # vectors, as of a wording
    solution_meaning = models.BinaryField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "title"], name="knowledge_entry_state")
        ]


class Wording(models.Model):
    """One way in which people put the problem."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="+")
    language = models.CharField(max_length=16, default="")
    text = models.TextField()
    origin = models.CharField(max_length=10, default="staff")  # staff, import, resolved
    identifier = models.CharField(
        max_length=255, default=""
    )  # whose words they are, where they are somebody's
    is_live = models.BooleanField(default=True)  # else it waits for somebody of ours to take it
    meaning = models.BinaryField(null=True)  # the vector of the text, two bytes a number

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["identifier"], name="knowledge_wording_who")
        ]


class Option(models.Model):
    """One thing that would help: what it is, what it costs, since when that is known, where it can be had."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="+")
    product = models.CharField(max_length=200)
    place = models.CharField(max_length=200, default="")
    url = models.CharField(max_length=500, default="")
    is_ours = models.BooleanField(default=True)
    price_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="")
    priced_at = models.DateTimeField(null=True)
    position = models.IntegerField(default=0)


class Slot(models.Model):
    """Something that an answer may depend on: which vehicle, which order."""

    name = models.SlugField(max_length=40, unique=True)
    questions = models.JSONField(default=dict)  # language -> how one asks for it
    spellings = models.JSONField(default=dict)  # value -> how people write it
    is_number = models.BooleanField(default=False)  # any number of five digits or more fills it


class Fact(models.Model):
    """One dated statement with its source."""

    key = models.CharField(max_length=80, unique=True)
    statement = models.TextField()
    language = models.CharField(max_length=16, default="en")
    about = models.JSONField(default=list)  # words that name what it is about; all spellings of one thing
    aspect = models.JSONField(default=list)  # words that name what it says of it
    source_name = models.CharField(max_length=200)
    source_url = models.CharField(max_length=500, default="")
    stated_on = models.DateField()
    valid_until = models.DateField(null=True)
    owner = models.CharField(max_length=255, default="")
    state = models.CharField(max_length=10, default="published")  # published, retired
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=255)


class Notice(models.Model):
    """An honest statement of what is wrong now, for whom, until when, and who looks after it."""

    slug = models.SlugField(max_length=80, unique=True)
    titles = models.JSONField(default=dict)  # language -> text
    texts = models.JSONField(default=dict)  # language -> text: the cause, and what one can do
    words = models.JSONField(default=list)  # how people put it when they ask about it
    products = models.JSONField(default=list)  # codes or categories of what is affected; empty: all
    countries = models.JSONField(default=list)  # empty: all
    ordered_from = models.DateTimeField(null=True)
    ordered_until = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)  # when we expect it to be over
    owner = models.CharField(max_length=255)
    state = models.CharField(max_length=10, default="draft")  # draft, published, ended
    published_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=255)


class NoticeUpdate(models.Model):
    """What became known since a notice was published."""

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="+")
    at = models.DateTimeField(db_column="told_at")
    texts = models.JSONField(default=dict)
    by = models.CharField(max_length=255, db_column="told_by")


class Unanswered(models.Model):
    """A question that nothing of what the firm knows answers."""

    question = models.TextField()
    digest = models.CharField(max_length=64, unique=True)
    language = models.CharField(max_length=16, default="")
    identifier = models.CharField(max_length=255, default="")
    conversation = models.CharField(max_length=64, default="")
    n = models.IntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=255, default="")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["closed_at", "last_at"], name="knowledge_unanswered_open"),
            models.Index(fields=["identifier"], name="knowledge_unanswered_who"),
        ]


class Outcome(models.Model):
    """What was proposed for a question, how sure we were, and what it came to."""

    question = models.TextField()
    language = models.CharField(max_length=16, default="")
    identifier = models.CharField(max_length=255, default="")
    conversation = models.CharField(max_length=64, default="")
    proposed = models.JSONField(default=list)  # [[key, probability], ...], the surest first
    right = models.CharField(max_length=80, default="")  # the key that answered it; "-" where none did
    answered_by = models.CharField(max_length=255, default="")
    shown_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["settled_at"], name="knowledge_outcome_settled"),
            models.Index(fields=["identifier"], name="knowledge_outcome_who"),
            models.Index(fields=["conversation"], name="knowledge_outcome_talk"),
        ]


class Heard(models.Model):
    """One text from outside that a question kept here was made of: where that goes, so does the question."""

    seq = models.BigIntegerField(db_index=True)
    identifier = models.CharField(max_length=255, default="")  # of who said it
    wording = models.ForeignKey(Wording, models.CASCADE, null=True, related_name="+")
    unanswered = models.ForeignKey(Unanswered, models.CASCADE, null=True, related_name="+")
    outcome = models.ForeignKey(Outcome, models.CASCADE, null=True, related_name="+")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["identifier"], name="knowledge_heard_who")
        ]


class Flag(models.Model):
    """A text from outside that seems to contradict a fact. Its words stay in the log alone."""

    seq = models.BigIntegerField()
    fact = models.ForeignKey(Fact, models.CASCADE, related_name="+")
    identifier = models.CharField(max_length=255)
    probability = models.FloatField()
    state = models.CharField(max_length=10, default="open")  # open, answered, wrong
    said_at = models.DateTimeField()
    settled_by = models.CharField(max_length=255, default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["seq", "fact"], name="knowledge_flag_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "-said_at"], name="knowledge_flag_open"),
            models.Index(fields=["identifier"], name="knowledge_flag_who"),
        ]


class Learnt(models.Model):
    """What was learnt of how to find entries: one row, replaced as a whole."""

    content = models.JSONField()
    mark = models.CharField(max_length=32)  # of what was known when it was learnt
    at = models.DateTimeField(db_column="learnt_at")


class Change(models.Model):
    """One row with a mark that is another after each change, by which every process sees that its index is old."""

    mark = models.CharField(max_length=32)


class Endpoint(models.Model):
    """A model elsewhere that words drafts, where the firm named one: one row."""

    url = models.CharField(max_length=500)  # up to and without /v1/chat/completions
    model = models.CharField(max_length=120)
    sealed = models.TextField(default="")  # the key, encrypted
    timeout_s = models.FloatField(default=20.0)
    is_on = models.BooleanField(default=True)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=255)
