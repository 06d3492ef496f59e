"""Tokens open what they say, to whom they belong, until they end."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rapport.kit import clock
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.staff import rules, selectors, services
from rapport.staff.models import Staff, Token
from rapport.staff.rules import Role, Scope
from rapport.staff.tests.test_staff import owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Staff:
    return owner()


def colleague(alice: Staff, role: str) -> Staff:
    return services.invite(alice, email=f"{role}@example.com", name=role.title(), role=role)[0]


def make(by: Staff, *scopes: str, **fields: Any) -> tuple[Token, str]:
    return services.create_token(by, name="Shop", scopes=scopes or [Scope.PEOPLE_READ], **fields)


def test_a_token_opens_its_scopes_and_no_other(alice: Staff) -> None:
    made, text = make(alice, Scope.PEOPLE_READ, Scope.HEALTH_READ)
    found = selectors.usable_token(text)
    assert found is not None
    assert found.pk == made.pk
    assert [scope for scope in Scope if selectors.token_opens(found, scope)] == [
        Scope.PEOPLE_READ,
        Scope.HEALTH_READ,
    ]


def test_the_text_of_a_token_is_kept_nowhere(alice: Staff) -> None:
    _, text = make(alice)
    (row,) = Token.objects.values()
    assert text.startswith(rules.TOKEN_PREFIX)
    assert text not in str(row)
    assert len(row["beginning"]) < len(rules.TOKEN_PREFIX) + 8


@pytest.mark.parametrize("text", ["", "rpt_", "rpt_wrong", "Bearer", "é" * 50])
def test_what_is_no_token_opens_nothing(alice: Staff, text: str) -> None:
    make(alice)
    assert selectors.usable_token(text) is None


def test_a_token_ends_when_it_is_revoked_or_its_time_is_over(alice: Staff, noon: dt.datetime) -> None:
    made, text = make(alice, days=30)
    _, endless = make(alice)
    with clock.frozen(noon + dt.timedelta(days=30)):
        assert selectors.usable_token(text) is None
        assert selectors.usable_token(endless) is not None
    assert selectors.usable_token(text) is not None
    services.revoke_token(alice, made.pk)
    assert selectors.usable_token(text) is None
    with pytest.raises(Conflict):
        services.revoke_token(alice, made.pk)


def test_ones_own_token_follows_ones_role_and_ends_with_the_account(alice: Staff) -> None:
    bob = colleague(alice, Role.ANALYST)
    _, text = make(bob, Scope.HEALTH_READ, Scope.PEOPLE_READ, machine=False)
    services.change_role(alice, bob, Role.ANSWERS)
    token = selectors.usable_token(text)
    assert token is not None
    assert selectors.token_opens(token, Scope.PEOPLE_READ)
    assert not selectors.token_opens(token, Scope.HEALTH_READ)
    services.let_in(alice, bob, active=False)
    assert selectors.usable_token(text) is None


def test_nobody_makes_a_token_that_does_more_than_they_may(alice: Staff) -> None:
    bob = colleague(alice, Role.ANSWERS)
    with pytest.raises(Denied, match="consent:write"):
        make(bob, Scope.CONSENT_WRITE, machine=False)
    with pytest.raises(Denied, match="for machines"):
        make(bob)
    assert not Token.objects.exists()


def test_only_an_owner_revokes_the_tokens_of_others(alice: Staff) -> None:
    bob, chi = colleague(alice, Role.ANSWERS), colleague(alice, Role.ANALYST)
    made, _ = make(bob, machine=False)
    with pytest.raises(Denied, match="not yours"):
        services.revoke_token(chi, made.pk)
    services.revoke_token(alice, made.pk)
    assert [t.pk for t in selectors.tokens(bob)] == [made.pk]
    assert selectors.tokens(chi) == []


@pytest.mark.parametrize(
    "fields",
    [{"days": 0}, {"per_minute": 0}, {"per_minute": 10**9}, {"name": " "}, {"scopes": []}, {"scopes": ["x"]}],
)  # fmt: skip
def test_a_token_that_makes_no_sense_is_refused_in_words(alice: Staff, fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        services.create_token(alice, **{"name": "Shop", "scopes": ["people:read"], **fields})
    assert caught.value.hint


def test_its_use_is_noted_once_a_minute(alice: Staff, noon: dt.datetime) -> None:
    made, _ = make(alice)
    for later_s, noted_s in ((0, 0), (59, 0), (61, 61)):
        with clock.frozen(noon + dt.timedelta(seconds=later_s)):
            services.note_used(made.pk)
        assert selectors.token(made.pk).last_used_at == noon + dt.timedelta(seconds=noted_s)
    with pytest.raises(NotFound):
        selectors.token(404)
