"""WhatsApp read and answered, against a Cloud API in this process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Draft, Hook, Said
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.plugins.connectors.whatsapp import simulator
from rapport.plugins.connectors.whatsapp.plugin import Config, plugin
from rapport.plugins.connectors.whatsapp.simulator import ME, SECRET, TOKEN, VERIFY, error

CONFIG = Config(ME, TOKEN, SECRET, VERIFY)
ANA = "16315551181"


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.WhatsApp:
    return simulator.WhatsApp(day)


@pytest.fixture
def reader(network: simulator.WhatsApp) -> Reader:
    return Reader(plugin, CONFIG, network)


def written(network: simulator.WhatsApp, reader: Reader, text: str = "Where is order 12?") -> Said:
    (one,) = reader.receive(*network.write(ANA, text)).said
    return one


def test_a_message_arrives_whole_and_twice_as_one(
    network: simulator.WhatsApp, reader: Reader, day: Day
) -> None:
    call = network.write(ANA, "Where is order 12?", context={"id": "wamid.ours1"})
    (one,) = reader.receive(*call).said
    assert (one.kind, one.author, one.author_name) == ("message", ANA, "Ana")
    assert (one.text, one.in_reply_to, one.ts) == ("Where is order 12?", "wamid.ours1", day.at)
    assert (one.thread, one.is_private, one.asks_us) == (f"{ME}:{ANA}", True, True)
    day.later(3_600)
    assert reader.receive(*call).said == [one], "Meta calls again until it is answered"
    assert not reader.receive(*network.write(ANA, "Hello", to="999999")).said, "another number's"


def test_what_is_no_text_is_told_as_what_it_is(network: simulator.WhatsApp, reader: Reader) -> None:
    def told(**more: Any) -> Said:
        (one,) = reader.receive(*network.write(ANA, **more)).said
        return one

    assert told(type="image", image={"id": "1", "caption": "It looks so"}).text == "[image] It looks so"
    assert told(type="audio", audio={"id": "1"}).text == "[audio]"
    assert told(type="button", button={"text": "Yes"}).text == "Yes"
    pressed = {"type": "button_reply", "button_reply": {"id": "a", "title": "Tomorrow"}}
    assert told(type="interactive", interactive=pressed).text == "Tomorrow"
    liked = told(type="reaction", reaction={"message_id": "wamid.ours1", "emoji": "👍"})
    assert (liked.kind, liked.about, liked.detail) == ("reaction", "wamid.ours1", {"kind": "👍"})
    taken_back = network.write(ANA, type="reaction", reaction={"message_id": "wamid.ours1", "emoji": ""})
    assert not reader.receive(*taken_back).said
    moved = {"body": "Ana changed from 1 to 2", "type": "user_changed_number"}
    assert not reader.receive(*network.write(ANA, type="system", system=moved)).said, "nobody said that"


def test_who_hides_the_number_behind_a_name_is_heard_and_answered(
    network: simulator.WhatsApp, reader: Reader
) -> None:
    id = "US.13491208655302741918"
    (one,) = reader.receive(*network.write(id, "Do you have it in red?")).said
    assert (one.author, one.author_name, one.thread) == (id, "Ana", f"{ME}:{id}")
    draft = Draft(
        "d1", "We do.", in_reply_to=one.id, thread=one.thread, to=one.author.lower(), is_private=True
    )
    reader.publish(draft)
    (sent,) = network.sent
    assert (sent.get("to"), sent["recipient"]) == (None, id)


def test_what_is_taken_back_or_changed_is_told(network: simulator.WhatsApp, reader: Reader) -> None:
    one = written(network, reader)
    number = one.id.partition("@")[0]
    said = {"type": "text", "text": {"body": "Where is order 13?"}}
    changed = {"original_message_id": number, "message": said}
    (edit,) = reader.receive(*network.write(ANA, type="edit", edit=changed)).said
    assert (edit.kind, edit.about, edit.text, edit.is_private) == ("edit", one.id, "Where is order 13?", True)
    (gone,) = reader.receive(*network.write(ANA, type="revoke", revoke={"original_message_id": number})).said
    assert (gone.kind, gone.about) == ("deletion", one.id)


def test_a_call_is_believed_only_when_signed(network: simulator.WhatsApp, reader: Reader) -> None:
    headers, body = network.write(ANA, "Hello")
    for spoilt in ({"x-hub-signature-256": "sha256=0"}, {}):
        with pytest.raises(Denied):
            reader.receive(spoilt, body)
    with pytest.raises(Denied):
        reader.receive(headers, body + b" ")


def test_meta_asks_whose_address_it_is(reader: Reader) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}
    assert plugin.receive(CONFIG, Hook("GET", asked, {}, b""), reader.context).body == b"1158201444"
    for wrong in ({"hub.verify_token": "other"}, {"hub.mode": "unsubscribe"}):
        with pytest.raises(Denied):
            plugin.receive(CONFIG, Hook("GET", asked | wrong, {}, b""), reader.context)


def test_an_answer_names_what_it_answers(network: simulator.WhatsApp, reader: Reader) -> None:
    one = written(network, reader)
    draft = Draft("d1", "It leaves today.", in_reply_to=one.id, thread=one.thread, is_private=True)
    receipt = reader.publish(draft)
    (sent,) = network.sent
    assert (sent["id"], sent["to"], sent["text"]["body"]) == (receipt.id, ANA, "It leaves today.")
    assert sent["context"]["message_id"] == one.id.partition("@")[0]


def test_after_24_hours_it_is_refused_before_anything_is_sent(
    network: simulator.WhatsApp, reader: Reader, day: Day
) -> None:
    one = written(network, reader)
    draft = Draft("d1", "It leaves today.", in_reply_to=one.id, thread=one.thread)
    day.later(86_399)
    assert reader.publish(draft).id
    day.later(1)
    asked = len(network.asked)
    failed = refused(lambda: reader.publish(draft))
    assert failed.is_permanent
    assert failed.reason == "permission"
    assert "within 24 hours" in failed.message
    assert "template" in failed.hint
    unasked = refused(lambda: reader.publish(Draft("d2", "News!", to=ANA)))
    assert "only in answer" in unasked.message
    assert len(network.asked) == asked, "nothing may be sent"


def test_what_became_of_a_lost_answer_is_learnt_from_the_web_hook(
    network: simulator.WhatsApp, reader: Reader
) -> None:
    one = written(network, reader)
    draft = Draft("d1", "It leaves today.", in_reply_to=one.id, thread=one.thread)
    network.fail("/messages", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    assert refused(lambda: reader.find(draft)).is_unsure, "that nothing is known proves nothing"
    assert not reader.receive(*network.status(network.sent[0], "delivered")).said
    found = reader.find(draft)
    assert found is not None
    assert found.id == network.sent[0]["id"]


def test_each_right_is_named_with_what_to_do(network: simulator.WhatsApp, reader: Reader) -> None:
    assert [one.state for one in reader.findings()] == ["ok"] * 4
    network.scopes.remove("whatsapp_business_messaging")
    network.calls = "https://elsewhere.example/hook"
    wrong = {one.what: one for one in reader.findings() if one.state != "ok"}
    assert set(wrong) == {"whatsapp_business_messaging", "Web hook"}
    assert reader.context.address in wrong["Web hook"].hint
    network.calls = ""
    assert reader.findings()[-1].state == "warn"


def test_refusals_are_in_words(network: simulator.WhatsApp, reader: Reader) -> None:
    one = written(network, reader)
    draft = Draft("d1", "It leaves today.", in_reply_to=one.id, thread=one.thread)
    network.used = network.per_round
    failed = refused(lambda: reader.publish(draft))
    assert (failed.reason, failed.retry_after_s) == ("rate", 60.0)
    network.used = 0
    network.wrote_at.clear()
    late = refused(lambda: reader.publish(draft))
    assert "24 hours are over" in late.message
    assert late.is_permanent
    network.fail("/messages", error(131000, "Something went wrong", 500))
    assert refused(lambda: reader.publish(draft)).is_unsure
    reader.config = replace(CONFIG, access_token="EAAG-expired")
    ended = refused(lambda: reader.publish(draft))
    assert (ended.reason, ended.retry_after_s) == ("login", None)
    assert "Session has expired" in ended.message
    assert [one.state for one in reader.findings()] == ["bad"]


@pytest.mark.parametrize("name", ["number", "access_token", "app_secret", "verify_token"])
def test_what_cannot_work_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        plugin.check(replace(CONFIG, **{name: " "}))
