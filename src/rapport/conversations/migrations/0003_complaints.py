"""Whether a text surely complains. SQLite makes the table anew for it, so its search is taken down and put up again."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

from django.db import migrations, models

search = importlib.import_module("rapport.conversations.migrations.0002_search")


def index(apps: Any, schema_editor: Any) -> None:
    """Take the messages that are there into the new index; PostgreSQL has done so by itself."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("INSERT INTO conversations_search(conversations_search) VALUES('rebuild')", params=None)


class Migration(migrations.Migration):
    dependencies: ClassVar[list[tuple[str, str]]] = [("conversations", "0002_search")]

    operations: ClassVar[list[Any]] = [
        migrations.RunPython(search.drop, search.build),
        migrations.AddField("message", "is_complaint", models.BooleanField(default=False)),
        migrations.RunPython(search.build, search.drop),
        migrations.RunPython(index, migrations.RunPython.noop),
    ]
