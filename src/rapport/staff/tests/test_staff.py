from __future__ import annotations

import datetime as dt

import pytest

from rapport.kit import clock
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.staff import rules, selectors, services
from rapport.staff.models import LoginLink, Staff
from rapport.staff.rules import Right, Role

pytestmark = pytest.mark.django_db

PASSWORD = "seven quiet otters swim"


def owner() -> Staff:
    return services.create_owner(
        name="Alice",
        email="Alice@Example.com",
        password=PASSWORD,
        organisation="Otter Tools",
        timezone="Europe/Madrid",
        language="es",
        currency="usd",
    )


def test_set_up_makes_one_owner_and_one_organisation() -> None:
    assert not selectors.is_set_up()
    alice = owner()
    assert selectors.is_set_up()
    assert alice.email == "alice@example.com"
    assert alice.check_password(PASSWORD)
    firm = selectors.organisation()
    assert firm is not None
    assert (firm.name, firm.currency, firm.timezone) == ("Otter Tools", "USD", "Europe/Madrid")
    with pytest.raises(Conflict):
        owner()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "password123"),
        ("email", "nobody"),
        ("timezone", "Europe/Nowhere"),
        ("language", "xx"),
        ("currency", "euros"),
        ("currency", "ALI"),
        ("organisation", "  "),
    ],
)
def test_set_up_refuses_and_leaves_nothing(field: str, value: str) -> None:
    token = services.create_login_link()
    fields = {"name": "Alice", "email": "a@b.example", "password": PASSWORD, "organisation": "Otter"}
    with pytest.raises(Invalid) as refused:
        services.set_up(token, **{**fields, field: value})
    assert refused.value.hint
    assert not Staff.objects.exists()
    # The link survives a mistake in the form, and works once more.
    services.set_up(token, **fields)
    with pytest.raises(NotFound):
        services.set_up(token, **fields)


def test_a_link_lets_in_once_and_not_after_its_time() -> None:
    alice = owner()
    start = clock.now()
    token = services.create_login_link(alice)
    assert token not in str(list(LoginLink.objects.values_list()))
    assert services.redeem(token) == alice
    with pytest.raises(NotFound):
        services.redeem(token)
    late = services.create_login_link(alice, dt.timedelta(minutes=5))
    with clock.frozen(start + dt.timedelta(minutes=6)), pytest.raises(NotFound):
        services.redeem(late)
    with pytest.raises(NotFound):
        services.redeem("guessed")


def test_a_closed_account_is_let_in_by_no_link() -> None:
    alice = owner()
    bob, token = services.invite(alice, email="bob@example.com", name="Bob", role="answers")
    assert not bob.has_usable_password()
    services.let_in(alice, bob, active=False)
    with pytest.raises(NotFound):
        services.redeem(token)
    with pytest.raises(Conflict):
        services.new_link_for(alice, selectors.staff_by_id(bob.pk))


def test_only_an_owner_manages_staff_and_one_always_remains() -> None:
    alice = owner()
    bob, _ = services.invite(alice, email="bob@example.com", name="Bob", role="answers")
    with pytest.raises(Denied):
        services.invite(bob, email="charlie@example.com", name="Charlie", role="owner")
    with pytest.raises(Denied):
        services.change_role(bob, bob, "owner")
    with pytest.raises(Conflict):
        services.change_role(alice, alice, "analyst")
    with pytest.raises(Conflict):
        services.let_in(alice, alice, active=False)
    services.change_role(alice, bob, "owner")
    services.change_role(alice, alice, "analyst")
    assert selectors.owner_names() == ["Bob"]
    with pytest.raises(Conflict):
        services.invite(selectors.staff_by_id(bob.pk), email="BOB@example.com", name="", role="analyst")


def test_settings_and_password() -> None:
    alice = owner()
    services.change_settings(alice, language="ko", timezone="Asia/Seoul", name=" Alice K ")
    services.change_theme(alice, "dark")
    alice.refresh_from_db()
    assert (alice.language, alice.timezone, alice.theme, alice.name) == (
        "ko",
        "Asia/Seoul",
        "dark",
        "Alice K",
    )
    with pytest.raises(Invalid):
        services.change_theme(alice, "pink")
    with pytest.raises(Denied):
        services.change_password(alice, current="wrong", new="another long sentence here")
    services.change_password(alice, current=PASSWORD, new="another long sentence here")
    alice.refresh_from_db()
    assert alice.check_password("another long sentence here")


def test_rights_by_role_read_as_a_story() -> None:
    assert all(rules.may(Role.OWNER, right) for right in Right)
    assert rules.may(Role.ANSWERS, Right.SEE_PEOPLE)
    assert not rules.may(Role.ANSWERS, Right.SEE_SOURCES)
    assert not rules.may(Role.ANALYST, Right.CHANGE_PEOPLE)
    assert not any(rules.may(Role.NONE, right) for right in Right)
    assert not rules.may("made up", Right.SEE_HOME)
    assert set(rules.RIGHTS) == set(Role)
    assert rules.roles_with(Right.MANAGE_STAFF) == [Role.OWNER]
