"""Full-text search over every message, kept by the database in the same transaction as the message."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations

_GONE = """INSERT INTO conversations_search(conversations_search, rowid, text, author_name)
           VALUES ('delete', old.id, old.text, old.author_name);"""
_ADDED = """INSERT INTO conversations_search(rowid, text, author_name)
            VALUES (new.id, new.text, new.author_name);"""

BUILD = {
    "sqlite": (
        """CREATE VIRTUAL TABLE conversations_search USING fts5(
               text, author_name, content='conversations_message', content_rowid='id',
               tokenize='unicode61 remove_diacritics 2', prefix='3')""",
        f"CREATE TRIGGER conversations_search_added AFTER INSERT ON conversations_message BEGIN {_ADDED} END",
        f"CREATE TRIGGER conversations_search_gone AFTER DELETE ON conversations_message BEGIN {_GONE} END",
        f"""CREATE TRIGGER conversations_search_changed
            AFTER UPDATE OF text, author_name ON conversations_message BEGIN {_GONE} {_ADDED} END""",
    ),
    "postgresql": (
        """ALTER TABLE conversations_message ADD COLUMN words tsvector
           GENERATED ALWAYS AS (to_tsvector('simple', text || ' ' || author_name)) STORED""",
        "CREATE INDEX conversations_search ON conversations_message USING gin (words)",
    ),
}
DROP = {
    "sqlite": (
        "DROP TRIGGER conversations_search_added",
        "DROP TRIGGER conversations_search_gone",
        "DROP TRIGGER conversations_search_changed",
        "DROP TABLE conversations_search",
    ),
    "postgresql": ("ALTER TABLE conversations_message DROP COLUMN words",),
}


def build(apps: Any, schema_editor: Any) -> None:
    for statement in BUILD[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def drop(apps: Any, schema_editor: Any) -> None:
    for statement in DROP[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("conversations", "0001_initial")]
    operations: ClassVar[list[Any]] = [migrations.RunPython(build, drop)]
