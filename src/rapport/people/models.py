"""Who is who: identifiers, the edges between them, the persons they make, what is known of each.

No table here has a foreign key to another. Bulk writes come in slices that each commit alone, in an
order chosen for the disk and not for the constraint; a key checked row by row would double the time of
an import, and on SQLite would hold the write lock while it did. The keys are logical: `subject` and
`person` are the numbers of the log, and a row whose number nobody carries any more is simply not read.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class BytewiseField(models.CharField[str, str]):
    """Text compared byte by byte, so that a prefix is a range of an index and keyset paging never jumps.

    SQLite does so by itself; PostgreSQL would follow the collation of the database.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters


class Identifier(models.Model):
    """One `namespace:value` that points at somebody, under the number that the log gave it."""

    subject = models.BigIntegerField(primary_key=True)
    namespace = BytewiseField(max_length=32)
    value = BytewiseField(max_length=255)
    first_seq = models.BigIntegerField()

    class Meta:
        # Namespaces are few, so a search by prefix asks this index once for each of them.
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["namespace", "value"], name="people_identifier_text")
        ]


class Edge(models.Model):
    """One assertion that two subjects are one person: who says so, how surely, and what became of it."""

    a = models.BigIntegerField()  # the smaller subject
    b = models.BigIntegerField()
    evidence = models.CharField(max_length=64)
    certainty = models.CharField(max_length=8)  # certain, probable
    confidence = models.FloatField()  # 0 to 1
    asserted_at = models.DateTimeField()
    source = models.CharField(max_length=255)
    seq = models.BigIntegerField(null=True)  # of the event that asserted it
    state = models.CharField(max_length=8)  # accepted, proposed, rejected, removed
    decided_by = models.TextField(default="")
    decided_at = models.DateTimeField(null=True)
    detail = models.TextField(db_default="")  # of a model's edge: what agrees, JSON as in rules.evidence

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["a", "b", "evidence", "source"], name="people_edge_assertion")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["b"], name="people_edge_b"),
            # Both are few: what waits for a reviewer, and what a reviewer refused.
            models.Index(
                models.F("confidence").desc(),
                models.F("id"),
                name="people_edge_proposed",
                condition=models.Q(state="proposed"),
            ),
            models.Index(
                fields=["a", "b"],
                name="people_edge_refused",
                condition=models.Q(state__in=["rejected", "removed"]),
            ),
        ]


class Identity(models.Model):
    """Which person a subject is: `person` over every accepted edge, `core` over the certain ones alone."""

    subject = models.BigIntegerField(primary_key=True)
    person = models.BigIntegerField()
    core = models.BigIntegerField()
    changed_seq = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["person"], name="people_identity_person"),
            models.Index(fields=["core"], name="people_identity_core"),
            models.Index(fields=["changed_seq"], name="people_identity_changed"),
        ]


class Holding(models.Model):
    """From when on a device on which several log in was in the hands of one of them.

    Read from the log's claims, and so without regard to what staff decided: an end that was un-merged is
    passed over when the spans are read, and comes back with the edge.
    """

    pk = models.CompositePrimaryKey("device", "from_ts")
    device = models.BigIntegerField()  # subject
    from_ts = models.DateTimeField()
    holder = models.BigIntegerField()  # the subject that logged in; whose person that is may change

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["holder"], name="people_holding_holder")
        ]


class Person(models.Model):
    """One human being as we believe; derived from identities, identifiers and traits, and never asserted."""

    id = models.BigIntegerField(primary_key=True)  # the smallest subject of the component
    kind = models.CharField(max_length=8)  # person, author, visitor
    display_name = models.CharField(max_length=255)
    sort_name = BytewiseField(max_length=255)
    email = models.CharField(max_length=255, default="")
    country = BytewiseField(max_length=64, default="")
    language = BytewiseField(max_length=64, default="")
    n_identifiers = models.IntegerField()
    members = models.BigIntegerField()  # hash of the component's subjects: what a score was computed over
    changed_seq = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "id"], name="people_person_newest"),
            models.Index(fields=["kind", "sort_name", "id"], name="people_person_name"),
            models.Index(fields=["kind", "country", "id"], name="people_person_country"),
            models.Index(fields=["kind", "country", "sort_name", "id"], name="people_person_country_name"),
            models.Index(fields=["kind", "language", "id"], name="people_person_language"),
            models.Index(fields=["kind", "language", "sort_name", "id"], name="people_person_language_nm"),
            models.Index(fields=["changed_seq"], name="people_person_changed"),
        ]


class NameTerm(models.Model):
    """One word of one of a person's names, folded, for search by how a word begins."""

    pk = models.CompositePrimaryKey("term", "person")
    term = BytewiseField(max_length=64)
    person = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["person", "term"], name="people_nameterm_person")
        ]


class Trait(models.Model):
    """One attribute of a subject as one kind of origin last stated it. Merging people moves no trait."""

    pk = models.CompositePrimaryKey("subject", "name", "origin")
    subject = models.BigIntegerField()
    name = models.CharField(max_length=64)
    origin = models.CharField(max_length=8)  # declared, observed, inferred
    value = models.TextField()  # JSON
    confidence = models.FloatField(null=True)  # 0 to 1; empty where nobody stated one
    at = models.DateTimeField(db_column="observed_at")
    source = models.CharField(max_length=255)
    seq = models.BigIntegerField()


class Score(models.Model):
    """One figure that a model wrote down for a person, over the subjects the person then had."""

    pk = models.CompositePrimaryKey("person", "name", "members")
    person = models.BigIntegerField()
    name = models.CharField(max_length=64)
    value = models.FloatField()
    unit = models.CharField(max_length=32, default="")
    as_of = models.DateTimeField()
    model = models.CharField(max_length=64)
    version = models.CharField(max_length=64, default="")
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    label = models.TextField(default="")
    reason = models.TextField(default="")
    members = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # Who has the highest and the lowest, and who lies in between.
            models.Index(fields=["name", "value", "person"], name="people_score_value")
        ]


class Watermark(models.Model):
    """A counter that only grows; the row's lock is what makes writers of one kind wait for each other."""

    name = models.CharField(max_length=32, primary_key=True)
    value = models.BigIntegerField()
    epoch = models.CharField(max_length=32)  # tells this database's counter from that of a restored copy


class LinkingPolicy(models.Model):
    """What becomes of pairs that the model holds for one person. One row."""

    propose_from = models.FloatField(default=0.5)  # probability; less probable pairs are let go
    accept_from = models.FloatField(null=True)  # at or above they join without a reviewer; empty: never
    is_nightly = models.BooleanField(default=True)


class LinkingRun(models.Model):
    """One comparison of everybody with everybody: what it read and what it found."""

    started_at = models.DateTimeField()
    duration_s = models.FloatField(default=0.0)
    n_people = models.IntegerField(default=0)
    compared = models.TextField(default="")  # columns, with commas between
    n_waiting = models.IntegerField(default=0)
    n_accepted = models.IntegerField(default=0)
    n_settled = models.IntegerField(default=0)  # pairs found that are one already, or that staff refused


class AuthorTerms(models.Model):
    """How long public authors are kept: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    days = models.IntegerField()  # after their last post
    changed_at = models.DateTimeField(null=True)
    changed_by = models.CharField(max_length=255, default="")
    carried_out_at = models.DateTimeField(null=True)
    n_forgotten = models.BigIntegerField(default=0)


class AuthorObjection(models.Model):
    """A handle whose holder objected and whose posts the worker has yet to take out; then only a hash is left."""

    identifier = models.CharField(max_length=288, unique=True)
    at = models.DateTimeField(db_column="objected_at")
