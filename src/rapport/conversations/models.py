"""Conversations, what was said in each, what staff does with them, and how the firm wants them answered.

A message stands in the conversation that its reply links say (`origin`) and is shown in the one that staff put
it in (`conversation`); so merging is taken back exactly, whatever arrived meanwhile.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Conversation(models.Model):
    """Messages on one matter. `aside` is a place for public words that nobody has to answer (yet)."""

    class State(models.TextChoices):
        ASIDE = "aside"
        OPEN = "open"
        PENDING = "pending"  # waits for them, or for somebody's approval
        SNOOZED = "snoozed"
        RESOLVED = "resolved"
        MERGED = "merged"

    id = models.UUIDField(primary_key=True)
    subject = models.BigIntegerField(null=True)  # of who began it; None where we did
    identifier = models.CharField(max_length=255, default="")
    channel = models.CharField(max_length=16)  # social, review, email, direct, chat, survey, ...
    network = models.CharField(max_length=64, default="")
    source = models.CharField(max_length=64, default="")
    venue = models.CharField(max_length=255, default="")
    title = models.CharField(max_length=200, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    why = models.CharField(max_length=32, default="")  # it was opened: rules.WHY
    first_ts = models.DateTimeField()
    last_ts = models.DateTimeField()  # of what was said to or by us; a note does not count
    last_in_ts = models.DateTimeField(null=True)
    waiting_since = models.DateTimeField(null=True)  # the oldest of their words that nobody answered
    first_answered_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    is_overdue = models.BooleanField(default=False)
    urgency = models.FloatField(default=0.0)  # 0..1
    value_at_risk_minor = models.BigIntegerField(default=0)
    priority = models.FloatField(default=0.0)  # highest first
    priority_by = models.IntegerField(null=True)  # member of staff who set it by hand
    because = models.JSONField(default=list)  # what the priority is made of: codes of rules.REASONS
    assignee = models.IntegerField(null=True)  # member of staff
    team = models.CharField(max_length=64, default="")
    is_public = models.BooleanField(default=False)
    language = models.CharField(max_length=16, default="")
    sentiment = models.CharField(max_length=16, default="")
    intent = models.CharField(max_length=32, default="")
    n_messages = models.IntegerField(default=0)
    preview = models.CharField(max_length=200, default="")  # of the newest words
    author_name = models.CharField(max_length=255, default="")
    snoozed_until = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, default="")  # of a resolved one: rules.OUTCOMES
    resolved_at = models.DateTimeField(null=True)
    resolved_why = models.CharField(max_length=120, default="")
    failure = models.CharField(max_length=300, default="")  # why our last answer did not leave
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    state_before = models.CharField(max_length=10, default="")  # it was merged
    split_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    version = models.IntegerField(default=1)  # one more with whatever a writer should have seen
    changed_no = models.BigIntegerField(default=0)  # of the change that touched it last

    class Meta:
        # A view asks for one state in one order and narrows it by what follows in the index, without the table.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["state", "-priority", "-id", "assignee", "team", "channel", "network", "source",
                        "is_public", "is_overdue", "language", "sentiment", "intent", "urgency"],
                name="conversations_by_priority",
            ),
            models.Index(
                fields=["state", "-last_ts", "-id", "assignee", "team", "channel", "network", "source",
                        "is_public", "is_overdue", "language", "sentiment", "intent", "urgency"],
                name="conversations_by_last",
            ),
            models.Index(
                fields=["state", "waiting_since", "id", "assignee", "team", "channel", "network", "source",
                        "is_public", "is_overdue", "language", "sentiment", "intent", "urgency"],
                name="conversations_by_waiting",
            ),
            models.Index(fields=["assignee", "state", "-priority", "-id"], name="conversations_assigned"),
            models.Index(fields=["identifier", "-last_ts"], name="conversations_who"),
            models.Index(fields=["subject", "-last_ts"], name="conversations_subject"),
            models.Index(fields=["changed_no"], name="conversations_changed"),
            models.Index(fields=["is_overdue", "due_at"], name="conversations_due"),
            models.Index(fields=["state", "snoozed_until"], name="conversations_snoozed"),
            models.Index(fields=["merged_into"], name="conversations_merged"),
            models.Index(fields=["split_from"], name="conversations_split"),
        ]  # fmt: skip


class Message(models.Model):
    """What somebody said, what we said, or a note that stays among us."""

    class Direction(models.TextChoices):
        IN = "in"
        OUT = "out"
        NOTE = "note"

    id = models.BigAutoField(primary_key=True)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+", db_index=False)
    origin = models.UUIDField()  # the conversation that its reply links say
    seq = models.BigIntegerField(null=True, unique=True)  # of its event
    ts = models.DateTimeField()
    direction = models.CharField(max_length=4, choices=Direction.choices)
    subject = models.BigIntegerField(null=True)
    identifier = models.CharField(max_length=255, default="")
    author_name = models.CharField(max_length=255, default="")
    by = models.IntegerField(null=True, db_column="written_by")  # member of staff
    text = models.TextField(default="")
    language = models.CharField(max_length=16, default="")
    network = models.CharField(max_length=64, default="")
    source = models.CharField(max_length=64, default="")
    venue = models.CharField(max_length=255, default="")
    post_id = models.CharField(max_length=255, default="")
    in_reply_to = models.CharField(max_length=255, default="")
    thread = models.CharField(max_length=255, default="")
    url = models.CharField(max_length=1000, default="")
    event_name = models.CharField(max_length=32, default="")
    why = models.CharField(max_length=32, default="")  # it asks for an answer; empty where it does not
    topic = models.CharField(max_length=120, default="")  # its heading without Re:, where nothing links it
    asks_us = models.BooleanField(default=False)
    may_open = models.BooleanField(
        default=False
    )  # of a brand, product or problem of ours: help is ours to give
    is_help = models.BooleanField(default=False)  # a model says that it asks for help
    is_complaint = models.BooleanField(default=False)  # surely enough to go to them unasked
    is_thanks = models.BooleanField(default=False)  # nothing but thanks: nobody waits
    signs = models.CharField(max_length=64, default="")  # safety, vulnerable, refund; by comma
    contact_reason = models.CharField(max_length=32, default="")
    aspect = models.CharField(max_length=64, default="")
    stars = models.FloatField(null=True)
    sentiment = models.CharField(max_length=16, default="")
    stance = models.FloatField(null=True)  # value of its sentiment, -1..1
    intent = models.CharField(max_length=32, default="")
    urgency = models.FloatField(default=0.0)
    delivery = models.CharField(max_length=64, null=True, unique=True)
    state = models.CharField(max_length=12, default="")  # rules.MESSAGE_STATES
    reason = models.CharField(max_length=300, default="")
    playbook = models.CharField(max_length=32, default="")  # our answer was a step of it

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["conversation", "ts", "id"], name="conversations_message_in"),
            models.Index(fields=["origin"], name="conversations_message_origin"),
            models.Index(fields=["network", "post_id"], name="conversations_message_post"),
            models.Index(fields=["identifier", "ts"], name="conversations_message_who"),
            models.Index(fields=["direction", "state"], name="conversations_message_state"),
        ]


class Node(models.Model):
    """A post or message of a network that we have, or that one we have answers; it belongs to one conversation."""

    pk = models.CompositePrimaryKey("network", "post_id")
    network = models.CharField(max_length=64)
    post_id = models.CharField(max_length=255)
    conversation = models.UUIDField()  # the origin of its messages
    is_gone = models.BooleanField(default=False)  # deleted there; what comes late comes without words

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["conversation"], name="conversations_node_of")
        ]


class Change(models.Model):
    """Counts changes, so that a screen can ask what moved since it last looked. One row."""

    no = models.BigIntegerField(default=0)


class Draft(models.Model):
    """What a member of staff has written and not sent."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+")
    staff = models.IntegerField()
    text = models.TextField()
    version = models.IntegerField()  # of the conversation it was written for
    saved_no = models.IntegerField(
        default=1
    )  # one more with every save, so that two windows notice each other
    saved_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["conversation", "staff"], name="conversations_draft_once")
        ]


class Approval(models.Model):
    """An answer that waits for somebody who may let it out, and what they said."""

    class State(models.TextChoices):
        ASKED = "asked"
        APPROVED = "approved"
        REFUSED = "refused"

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+")
    message = models.OneToOneField(Message, models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    asked_by = models.IntegerField()
    asked_at = models.DateTimeField()
    decided_by = models.IntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, default="")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "asked_at"], name="conversations_approval_state")
        ]


class View(models.Model):
    """A saved selection of conversations and its order; shared where it has no owner."""

    owner = models.IntegerField(null=True)
    name = models.CharField(max_length=80)
    wanted = models.JSONField()  # a rules.Wanted
    position = models.IntegerField(default=0)


class Macro(models.Model):
    """Several things that are done with a conversation in one press."""

    name = models.CharField(max_length=80, unique=True)
    steps = models.JSONField()  # [{"do": "assign", "to": ...}, ...]; rules.MACRO_STEPS
    made_by = models.IntegerField(null=True)


class CannedAnswer(models.Model):
    """Words that are put in by `/` and a short name, one text per language."""

    short = models.CharField(max_length=32, unique=True)
    title = models.CharField(max_length=120)
    texts = models.JSONField()  # by language
    made_by = models.IntegerField(null=True)
    changed_at = models.DateTimeField()


class Mention(models.Model):
    """A colleague is named in a note."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, models.CASCADE, related_name="+")
    staff = models.IntegerField()
    by = models.IntegerField(db_column="made_by")
    at = models.DateTimeField(db_column="made_at")
    seen_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["staff", "seen_at"], name="conversations_mention_of")
        ]


class Watching(models.Model):
    """Who has a conversation open, and whether they write; a row that is not renewed is over."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+")
    staff = models.IntegerField()
    is_writing = models.BooleanField(default=False)
    at = models.DateTimeField(db_column="seen_at")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["conversation", "staff"], name="conversations_watching_once")
        ]


class Log(models.Model):
    """Who did what with a conversation, in the order it was done."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+")
    at = models.DateTimeField(db_column="done_at")
    by = models.IntegerField(null=True, db_column="done_by")  # None: by itself
    did = models.CharField(max_length=24)
    detail = models.JSONField(default=dict)  # codes and numbers, never anybody's words


class Target(models.Model):
    """When a channel wants its first answer, and in which hours the firm answers; `` is every other channel."""

    channel = models.CharField(max_length=16, primary_key=True)
    answer_min = models.IntegerField()  # minutes within business hours
    wait_max_h = models.IntegerField()  # hours on the clock after which anybody goes first
    timezone = models.CharField(max_length=64, default="UTC")
    hours = models.JSONField()  # [[from, to] or None] from Monday; minutes of the day
    stale_days = models.IntegerField(default=30)  # after which an unanswered one closes by itself
    stars_max = models.FloatField(default=2.0)  # reviews with no more open a conversation


class Playbook(models.Model):
    """One recovery that was begun for a conversation."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16)  # rules.PLAYBOOKS
    state = models.CharField(max_length=8, default="running")  # running, ended
    subject = models.BigIntegerField(null=True)
    identifier = models.CharField(max_length=255, default="")
    venue = models.CharField(max_length=255, default="")
    begun_at = models.DateTimeField()
    begun_by = models.IntegerField(null=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, default="")
    stance_before = models.FloatField(null=True)
    stance_after = models.FloatField(null=True)
    ordered_30 = models.BooleanField(null=True)  # None until 30 days are over
    ordered_90 = models.BooleanField(null=True)


class PlaybookStep(models.Model):
    """One step of a recovery with its clock."""

    playbook = models.ForeignKey(Playbook, models.CASCADE, related_name="+")
    position = models.IntegerField()
    code = models.CharField(max_length=32)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.IntegerField(null=True)
    note = models.CharField(max_length=300, default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["playbook", "position"], name="conversations_step_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["done_at", "due_at"], name="conversations_step_due")
        ]


class Reception(models.Model):
    """What our public replies did in one venue, or through one playbook: the newest reckoning."""

    scope = models.CharField(max_length=8)  # venue, playbook
    name = models.CharField(max_length=255)
    reckoned_at = models.DateTimeField()
    figures = models.JSONField()  # a rules.Received
    is_silent = models.BooleanField(default=False)
    silent_since = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(
        null=True
    )  # staff ended a silence; what came before does not count any more

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["scope", "name"], name="conversations_reception_once")
        ]


class VoiceDraft(models.Model):
    """Customers' words on their way to a department: a voice case that somebody has still to take up."""

    id = models.UUIDField(primary_key=True)
    conversation = models.ForeignKey(Conversation, models.SET_NULL, null=True, related_name="+")
    identifier = models.CharField(max_length=255, default="")
    department = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    quotes = models.JSONField(default=list)  # [{"pseudonym", "day", "text", "seq"}]
    aspect = models.CharField(max_length=64, default="")
    reason = models.CharField(max_length=64, default="")
    due_on = models.DateField()
    state = models.CharField(max_length=8, default="draft")  # draft, taken, dropped
    made_by = models.IntegerField()
    made_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "due_on"], name="conversations_voice_due"),
            models.Index(fields=["identifier"], name="conversations_voice_who"),
        ]


class Owed(models.Model):
    """What the log has yet to hear of a conversation: written with what happened, gone once the log has heard.

    Whoever is killed in between leaves this row behind, and the next round of the jobs tells the log.
    """

    id = models.CharField(max_length=120, primary_key=True)  # of the event, so that told twice is once
    name = models.CharField(max_length=32)
    ts = models.DateTimeField()
    identifier = models.CharField(max_length=255)
    channel = models.CharField(max_length=16, default="")
    venue = models.CharField(max_length=255, default="")
    properties = models.JSONField(default=dict)
    since = models.DateTimeField(db_index=True)  # it is owed

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["identifier"], name="conversations_owed_who")
        ]
