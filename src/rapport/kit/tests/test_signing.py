"""Signed links: made here alone, for one kind, until their time is over, and dark to whoever reads along."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit import clock, secret, signing
from rapport.kit.errors import Denied, Invalid

DAY = dt.timedelta(days=1)


@given(st.lists(st.text(max_size=40), max_size=5), st.sampled_from(["preferences", "öffnen", ""]))
def test_what_was_signed_is_read_again(fields: list[str], kind: str) -> None:
    token = signing.sign(kind, *fields, ttl=DAY)
    assert signing.read(kind, token) == tuple(fields)
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_token_is_good_for_its_kind_alone() -> None:
    token = signing.sign("preferences", "email:ana@example.org")
    with pytest.raises(Invalid, match="not one that we made"):
        signing.read("forget", token)


def test_nobody_who_sees_the_link_reads_the_address() -> None:
    token = signing.sign("preferences", "email:ana@example.org")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert b"ana" not in raw
    assert b"example" not in raw


def test_a_token_expires_at_its_time_and_not_before(noon: dt.datetime) -> None:
    token = signing.sign("forget", "email:ana@example.org", ttl=DAY)
    with clock.frozen(noon + DAY - dt.timedelta(seconds=1)):
        assert signing.read("forget", token) == ("email:ana@example.org",)
        assert not signing.is_expired("forget", token)
    with clock.frozen(noon + DAY):
        with pytest.raises(Denied, match="no longer good"):
            signing.read("forget", token)
        assert signing.is_expired("forget", token)
        assert signing.expired_fields("forget", token) == ("email:ana@example.org",)


def test_a_token_without_a_time_stays_good(noon: dt.datetime) -> None:
    token = signing.sign("confirm", "a")
    with clock.frozen(noon + 10_000 * DAY):
        assert signing.read("confirm", token) == ("a",)


def test_every_changed_character_is_noticed() -> None:
    token = signing.sign("preferences", "email:ana@example.org")
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(Invalid):
            signing.read("preferences", token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize("token", ["", "A", "AAAA", "é", "a b", "%%%", "A" * 5_000, "." * 40])
def test_what_is_no_token_is_said_in_words(token: str) -> None:
    with pytest.raises(Invalid) as refused:
        signing.read("preferences", token)
    assert "ask for a new link" in refused.value.hint


def test_another_installation_makes_other_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    token = signing.sign("preferences", "email:ana@example.org")
    monkeypatch.setenv("RAPPORT_SECRET_KEY", "another installation")
    with pytest.raises(Invalid):
        signing.read("preferences", token)


def test_hashes_differ_by_use_and_are_stable() -> None:
    one = secret.keyed_hash("erased", "email:ana@example.org")
    assert one == secret.keyed_hash("erased", "email:ana@example.org")
    assert one != secret.keyed_hash("suppressed", "email:ana@example.org")
    assert len(one) == 64
