"""Every channel keeps the contract: built in, or from a package of somebody else."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import inspect
import json
from importlib import resources
from typing import Any

import pytest

from rapport.kit import registry
from rapport.kit.errors import RapportError
from rapport.messaging import contract
from rapport.messaging.contract import Channel, Context, Message, TransportError

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
CONTEXT = Context(now=lambda: NOON, texts_of=lambda name: ())
CHANNELS = sorted(registry.plugins(contract.KIND))


@pytest.fixture(params=CHANNELS)
def channel(request: pytest.FixtureRequest) -> Channel:
    found: Channel = registry.plugin(contract.KIND, request.param).offers
    return found


def sample(channel: Channel) -> dict[str, Any]:
    package = registry.plugin(contract.KIND, channel.name).module.rpartition(".")[0]
    found: dict[str, Any] = json.loads(resources.files(package).joinpath("sample.json").read_text("utf-8"))
    return found


def test_there_is_a_channel() -> None:
    assert "email" in CHANNELS


def test_it_is_called_as_its_folder_and_offers_everything(channel: Channel) -> None:
    assert isinstance(channel, Channel)
    assert registry.plugin(contract.KIND, channel.name).offers is channel
    assert channel.title
    assert channel.namespace.isidentifier()
    assert inspect.iscoroutinefunction(channel.open)


def test_its_configuration_can_be_a_form(channel: Channel) -> None:
    assert dataclasses.is_dataclass(channel.config)
    for field in dataclasses.fields(channel.config):
        assert field.metadata["label"], field.name
        assert field.default is not dataclasses.MISSING, "a form begins with something"


def test_secrets_are_marked_as_such(channel: Channel) -> None:
    secret = {f.name for f in dataclasses.fields(channel.config) if f.metadata.get("secret")}
    telling = {
        f.name
        for f in dataclasses.fields(channel.config)
        if any(w in f.name for w in ("password", "key", "token"))
    }
    assert telling <= secret


def test_the_sample_is_a_configuration_that_passes_its_check(channel: Channel) -> None:
    config = channel.config(**sample(channel)["config"])
    channel.check(config)
    assert channel.limits(config).in_flight >= 1


def test_an_empty_configuration_is_refused_in_words(channel: Channel) -> None:
    with pytest.raises(RapportError) as refused:
        channel.check(channel.config())
    assert refused.value.message
    assert refused.value.hint


def test_keys_are_settings_and_new_each_time(channel: Channel) -> None:
    config = channel.config(**sample(channel)["config"])
    made, again = channel.keys(config), channel.keys(config)
    assert set(made) <= {f.name for f in dataclasses.fields(channel.config)}
    assert not made or made != again
    channel.check(dataclasses.replace(config, **made))


def test_findings_are_told_where_nobody_answers(channel: Channel) -> None:
    def down(name: str) -> Any:
        raise OSError("nobody answers")

    config = channel.config(**sample(channel)["config"])
    for found in channel.findings(config, Context(lambda: NOON, down)):
        assert found.state in {"ok", "warn", "bad"}
        assert found.message


def test_opening_needs_nobody_and_a_closed_way_is_a_transport_error(channel: Channel) -> None:
    """`open` may not connect: an account is set up before its server is there."""
    given = sample(channel)
    changed = {"host": "127.0.0.1", "port": 1, "security": "none"}
    known = {f.name for f in dataclasses.fields(channel.config)}
    config = channel.config(**{**given["config"], **{k: v for k, v in changed.items() if k in known}})

    async def tried() -> TransportError:
        session = await channel.open(config, CONTEXT)
        try:
            await session.send(Message(**given["message"]))
        except TransportError as error:
            return error
        finally:
            await session.close()
        raise AssertionError("it was sent to nobody")

    error = asyncio.run(tried())
    assert error.of_channel
    assert not error.permanent
    assert error.answer
