"""The stores as a whole: load the applications, make or migrate what the data folder lacks."""

from __future__ import annotations

import os

PACKAGES = (
    "rapport.events",
    "rapport.listening",
    "rapport.people",
    "rapport.consent",
    "rapport.insights",
    "rapport.segments",
    "rapport.aio",
    "rapport.explore",
    "rapport.personas",
    "rapport.portfolio",
    "rapport.pacing",
    "rapport.messaging",
    "rapport.surveys",
    "rapport.onsite",
    "rapport.web",
    "rapport.plugins",
)


def set_up() -> None:
    """Load the applications; whatever touches the operational store calls this first."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.web.settings")
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()


def has_records() -> bool:
    """Whether there is an operational store to ask; nothing is made where there is none."""
    from django.conf import settings
    from django.db import DatabaseError, connection

    database = settings.DATABASES["default"]
    if "sqlite" in str(database["ENGINE"]) and not os.path.exists(str(database["NAME"])):
        return False
    try:
        return "insights_storedmodel" in connection.introspection.table_names()
    except DatabaseError:
        return False


def initialise() -> None:
    """Make every store of the data folder, or bring it up to this version; safe to repeat."""
    from rapport.kit import home

    home.root().mkdir(parents=True, exist_ok=True)
    set_up()
    from django.core.management import call_command

    from rapport.events import lake, spool, upkeep

    call_command("migrate", verbosity=0, interactive=False)
    lake.create()
    spool.current().create()
    upkeep.number_on()

    from rapport.onsite import services as onsite

    onsite.ensure_site()


def check_queries() -> int:
    """Prepare every named query against the lake; gives how many there are. Raises Invalid."""
    from rapport.events import lake

    return lake.check_queries(*PACKAGES)
