"""KakaoTalk's chatbot calls, and is answered in time."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest

from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Publishes
from rapport.listening.tests.acting import Act, Day, Reader
from rapport.plugins.connectors.kakao.plugin import Config, plugin
from rapport.plugins.connectors.kakao.simulator import BOT, SECRET, call

CONFIG = Config(SECRET, BOT, "고맙습니다. 곧 답해 드리겠습니다.")


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def reader(day: Day) -> Reader:
    return Reader(plugin, CONFIG, Act(day))


def test_what_somebody_says_arrives_and_is_answered_at_once(reader: Reader, day: Day) -> None:
    got = reader.receive(*call("ana", "주문 12는 어디에 있나요?\n"))
    (one,) = got.said
    assert (one.kind, one.author, one.text) == ("message", "ana", "주문 12는 어디에 있나요?")
    assert (one.ts, one.thread, one.language) == (day.at, "ana", "ko")
    assert (one.is_private, one.asks_us) == (True, True)
    told = json.loads(got.body)
    assert (got.status, got.content_type, told["version"]) == (200, "application/json", "2.0")
    assert told["template"]["outputs"] == [{"simpleText": {"text": CONFIG.answer}}]


def test_a_call_that_comes_again_at_once_is_the_same(reader: Reader, day: Day) -> None:
    (first,) = reader.receive(*call("ana", "Hello")).said
    day.later(3)
    (again,) = reader.receive(*call("ana", "Hello")).said
    assert again.id == first.id
    (other,) = reader.receive(*call("bo", "Hello")).said
    day.at += dt.timedelta(minutes=1)
    (later,) = reader.receive(*call("ana", "Hello")).said
    assert len({first.id, other.id, later.id}) == 3


def test_who_does_not_know_the_secret_is_refused(reader: Reader) -> None:
    _, body = call("ana", "Hello")
    for headers in ({}, {"x-rapport-key": ""}, {"x-rapport-key": SECRET + "x"}):
        with pytest.raises(Denied):
            reader.receive(headers, body)
    with pytest.raises(Denied):
        reader.receive(*call("ana", "Hello", bot="f" * 24))
    with pytest.raises(Invalid):
        reader.receive({"x-rapport-key": SECRET}, b"no JSON")


def test_a_test_of_the_admin_centre_is_answered_and_says_nothing(reader: Reader) -> None:
    got = reader.receive(*call("ana", "Hello", bot=BOT + "!"))
    assert not got.said
    assert json.loads(got.body)["template"]


def test_it_is_said_that_answers_are_given_elsewhere(reader: Reader) -> None:
    assert not isinstance(plugin, Publishes)
    assert not plugin.terms.may_answer
    assert [one.state for one in reader.findings()] == ["warn"]


@pytest.mark.parametrize(
    "change", [{"secret": "short"}, {"bot": "x"}, {"answer": " "}, {"answer": "a" * 1_001}]
)
def test_what_cannot_work_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        plugin.check(replace(CONFIG, **change))
