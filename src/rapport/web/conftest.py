"""The named people of every test of the screens: Alice owns, Bob answers, Charlie may do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

if TYPE_CHECKING:
    from rapport.staff.models import Staff

PASSWORD = "seven quiet otters swim"  # noqa: S105  of nobody


@pytest.fixture
def alice(db: None) -> Staff:  # noqa: ARG001  the fixture opens the database
    from rapport.staff import services

    return services.create_owner(
        name="Alice",
        email="alice@example.com",
        password=PASSWORD,
        organisation="Otter Tools",
        timezone="Europe/Madrid",
        language="en",
        currency="EUR",
    )


@pytest.fixture
def bob(alice: Staff) -> Staff:
    from rapport.staff import services

    return services.invite(alice, email="bob@example.com", name="Bob", role="answers")[0]


@pytest.fixture
def charlie(alice: Staff) -> Staff:
    from rapport.staff import services

    return services.invite(alice, email="charlie@example.com", name="Charlie", role="none")[0]


def logged_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client
