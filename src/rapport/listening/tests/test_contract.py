"""Every connector keeps the contract: built in, or from a package of somebody else."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from importlib import resources
from typing import Any

import pytest

from rapport.kit import registry
from rapport.kit.errors import Denied, RapportError
from rapport.kit.http import Answer, Request
from rapport.listening import contract
from rapport.listening.contract import (
    Connector,
    Differs,
    Draft,
    Failed,
    Hook,
    Parses,
    Publishes,
    Reads,
    Receives,
)
from rapport.listening.tests import playing

CONNECTORS = sorted(registry.plugins(contract.KIND))
SENTENCES = ("costs", "sees", "cannot_see")


@pytest.fixture(params=CONNECTORS)
def connector(request: pytest.FixtureRequest) -> Connector:
    found: Connector = registry.plugin(contract.KIND, request.param).offers
    return found


def test_there_are_the_general_ones() -> None:
    assert {"rss", "json_poll", "webhook"} <= set(CONNECTORS)


def test_it_is_called_as_its_folder_and_offers_everything(connector: Connector) -> None:
    assert isinstance(connector, Connector)
    assert registry.plugin(contract.KIND, connector.name).offers is connector
    assert connector.title
    assert re.fullmatch(r"[a-z][a-z0-9_]{1,31}", connector.network)
    assert isinstance(connector, (Reads, Receives)), "it neither is asked nor is called"
    for name in SENTENCES:
        sentence = getattr(connector, name)
        assert len(sentence) > 20, name
        assert sentence.endswith("."), name


def test_its_terms_are_dated_and_can_be_looked_up(connector: Connector) -> None:
    terms = connector.terms
    assert terms.source.startswith("https://")
    assert terms.read_on is None or dt.date(2024, 1, 1) <= terms.read_on <= dt.date(2027, 1, 1)
    assert terms.as_of is None or (terms.read_on is not None and terms.as_of <= terms.read_on), (
        "a copy was read"
    )
    assert terms.keep_days is None or terms.keep_days >= 1
    assert terms.deletes_within_h >= 1
    assert terms.may_answer or not terms.may_answer_unasked, "who may answer all may answer some"
    if isinstance(connector, Publishes):
        assert hasattr(connector, "find"), "an answer that was lost has to be looked for"


def test_its_manners_are_possible(connector: Connector) -> None:
    manners = connector.manners
    assert manners.requests >= 1
    assert manners.per_s >= 1
    assert manners.every_s >= 1
    assert manners.length_max >= 0


def test_its_configuration_can_be_a_form(connector: Connector) -> None:
    assert dataclasses.is_dataclass(connector.config)
    for field in dataclasses.fields(connector.config):
        assert field.metadata["label"], field.name
        assert "help" in field.metadata, field.name
        has_default = (
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        )
        assert has_default, "a form begins with something"
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(connector.config(), dataclasses.fields(connector.config)[0].name, "changed")


def test_secrets_are_marked_as_such(connector: Connector) -> None:
    telling = re.compile(r"password|secret|token|api_key|private")
    for field in dataclasses.fields(connector.config):
        if telling.search(field.name):
            assert field.metadata.get("secret"), field.name


def test_it_refuses_what_cannot_work(connector: Connector) -> None:
    recorded = playing.sample(connector.name)
    connector.check(playing.configured(connector, recorded))
    addresses = [
        f.name for f in dataclasses.fields(connector.config) if f.name in {"server", "url", "address"}
    ]
    for name in addresses:
        spoilt = dataclasses.replace(playing.configured(connector, recorded), **{name: "not an address /\n"})
        with pytest.raises(RapportError):
            connector.check(spoilt)


def test_it_says_what_it_is(connector: Connector) -> None:
    package = registry.plugin(contract.KIND, connector.name).module.rpartition(".")[0]
    text = resources.files(package).joinpath("README.md").read_text("utf-8")
    assert len(text) > 200
    assert text.startswith("# ")


def test_sources_of_several_networks_say_which(connector: Connector) -> None:
    if not isinstance(connector, Differs):
        return
    config = playing.configured(connector, playing.sample(connector.name))
    assert re.fullmatch(r"[a-z][a-z0-9_]{1,31}", connector.network_of(config))
    assert connector.terms_of(config).source


def test_its_recording_is_read_to_the_end(connector: Connector) -> None:
    recorded = playing.sample(connector.name)
    config = playing.configured(connector, recorded)
    exchanges = recorded.get("exchanges", [])
    if not exchanges:
        assert not isinstance(connector, Reads) or isinstance(connector, Parses), "nothing was recorded"
        return
    assert isinstance(connector, Reads)
    tape = playing.Tape(exchanges)
    pages = list(connector.fetch(config, "", playing.context(recorded, tape)))
    assert len(tape.asked) == len(exchanges), "it stopped before the end"
    said = [s for page in pages for s in page.said]
    playing.compare(said, recorded["said"])
    _check_said(said)
    again = recorded.get("again", exchanges[-1:])
    more = list(connector.fetch(config, pages[-1].cursor, playing.context(recorded, _repeating(again))))
    fresh = {(s.kind, s.id) for page in more for s in page.said} - {(s.kind, s.id) for s in said}
    assert not fresh, "asked again where nothing is new, it says something new"


def test_a_recorded_message_is_understood(connector: Connector) -> None:
    recorded = playing.sample(connector.name)
    config = playing.configured(connector, recorded)
    assert not isinstance(connector, Parses) or recorded.get("raw"), "no message was recorded"
    for one in recorded.get("raw", []):
        assert isinstance(connector, Parses)
        said = connector.parse(config, one["raw"])
        playing.compare(said, one["said"])
        _check_said(said)


def test_what_the_network_calls_with_is_believed_only_when_signed(connector: Connector) -> None:
    recorded = playing.sample(connector.name)
    config = playing.configured(connector, recorded)
    assert not isinstance(connector, Receives) or recorded.get("hooks"), "no request was recorded"
    for one in recorded.get("hooks", []):
        assert isinstance(connector, Receives)
        hook = Hook(
            one["hook"].get("method", "POST"),
            one["hook"].get("query", {}),
            one["hook"].get("headers", {}),
            playing.as_bytes(one["hook"].get("body")),
            one["hook"].get("place", ""),
        )
        got = connector.receive(
            config, hook, playing.context(recorded, playing.Tape(one.get("exchanges", ())))
        )
        assert got.status == one.get("status", 200)
        playing.compare(got.said, one.get("said", []))
        _check_said(got.said)
        if one.get("is_open"):
            continue
        for spoilt in (
            dataclasses.replace(hook, body=hook.body + b" "),
            dataclasses.replace(hook, headers={}),
        ):
            with pytest.raises(Denied):
                connector.receive(config, spoilt, playing.context(recorded, playing.Tape(())))


def test_it_posts_what_it_was_given(connector: Connector) -> None:
    recorded = playing.sample(connector.name)
    config = playing.configured(connector, recorded)
    for one in recorded.get("drafts", []):
        assert isinstance(connector, Publishes)
        tape = playing.Tape(one.get("exchanges", []))
        receipt = connector.publish(config, Draft(**one["draft"]), playing.context(recorded, tape))
        assert len(tape.asked) == len(tape.exchanges)
        for member, value in one["receipt"].items():
            assert getattr(receipt, member) == value


@pytest.mark.parametrize(("status", "reason"), [(401, "login"), (429, "rate"), (503, "unreachable")])
def test_a_refusal_of_the_network_is_said_in_words(connector: Connector, status: int, reason: str) -> None:
    recorded = playing.sample(connector.name)
    if not recorded.get("exchanges"):
        return

    def refuse(request: Request) -> Answer:
        return Answer(request.url, status, {"retry-after": "7"}, b"{}")

    assert isinstance(connector, Reads)
    config = playing.configured(connector, recorded)
    with pytest.raises(Failed) as caught:
        list(connector.fetch(config, "", playing.context(recorded, refuse)))
    assert caught.value.reason in {reason, "permission"} if status == 401 else caught.value.reason == reason
    if status == 429:
        assert caught.value.retry_after_s is not None
        assert caught.value.retry_after_s >= 7
    assert len(caught.value.message) > 10


def _check_said(said: Any) -> None:
    for one in said:
        assert one.ts.tzinfo is not None, one.id
        assert one.id, "nothing can be known again without an id"
        if one.kind in {"edit", "deletion", "reaction"}:
            assert one.about, one.id


def _repeating(exchanges: list[dict[str, Any]]) -> Any:
    """The last answer, whatever is asked."""

    def fetch(request: Request) -> Answer:
        answer = exchanges[-1]["answer"]
        headers = {k.lower(): v for k, v in answer.get("headers", {}).items()}
        return Answer(request.url, answer.get("status", 200), headers, playing.as_bytes(answer.get("body")))

    return fetch
