"""What a request holds: every refusal, and the one shape of what is kept."""

from __future__ import annotations

import gzip
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.events import rules
from rapport.events.collector import envelope
from rapport.events.collector.envelope import Refused

PACKED = gzip.compress(b"{}", mtime=0)  # without the time, so that parallel runs collect the same tests
TRACK = {"type": "track", "messageId": "m1", "event": "Order Completed", "userId": "ana"}


def of_batch(document: object) -> Any:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return json.loads(envelope.of_batch(body).document)


def of_single(kind: str, document: object) -> Any:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return json.loads(envelope.of_single(kind, body).document)


def test_the_limit_of_a_message_is_the_one_of_the_rules() -> None:
    assert envelope.MESSAGE_BYTES_MAX == rules.MESSAGE_BYTES_MAX


def test_a_batch_is_kept_as_it_came() -> None:
    found = envelope.of_batch(
        json.dumps({"batch": [TRACK, TRACK | {"messageId": "m2"}], "sentAt": "2026-03-02T12:00:00Z"}).encode()
    )
    assert found.n == 2
    assert json.loads(found.document) == {
        "batch": [TRACK, TRACK | {"messageId": "m2"}],
        "sentAt": "2026-03-02T12:00:00Z",
    }


def test_what_the_loader_does_not_read_is_left_out_of_a_batch() -> None:
    found = envelope.of_batch(json.dumps({"writeKey": "k", "batch": [TRACK], "integrations": {}}).encode())
    assert found.write_key == "k"
    assert set(json.loads(found.document)) == {"batch", "sentAt"}


@pytest.mark.parametrize("second", ["batch", "b\\u0061tch"])
def test_a_key_given_twice_cannot_make_the_count_and_the_document_differ(second: str) -> None:
    body = f'{{"batch":[{{"type":"page"}},{{"type":"page"}}],"{second}":[{{"type":"track"}}]}}'.encode()
    found = envelope.of_batch(body)
    kept = json.loads(found.document, object_pairs_hook=list)
    assert [key for key, _ in kept].count("batch") == 1
    assert len(dict(kept)["batch"]) == found.n == 1


def test_messages_without_an_id_are_given_one_each_and_others_keep_theirs() -> None:
    bare = {"type": "page", "anonymousId": "a"}
    first, second, third, fourth = of_batch(
        {"batch": [bare, TRACK, bare | {"messageId": None}, bare | {"messageId": ""}]}
    )["batch"]
    assert second == TRACK
    given = [m["messageId"] for m in (first, third, fourth)]
    assert len({uuid.UUID(i) for i in given}) == 3
    assert first["anonymousId"] == "a"


@pytest.mark.parametrize("odd", [0, False, [], {}, 17])
def test_an_id_of_a_wrong_type_is_left_for_the_loader_to_judge(odd: object) -> None:
    (message,) = of_batch({"batch": [TRACK | {"messageId": odd}]})["batch"]
    assert message["messageId"] == odd
    (message,) = of_single("track", TRACK | {"messageId": odd})["batch"]
    assert message["messageId"] == odd


def test_a_single_message_becomes_a_batch_of_one_that_says_its_type() -> None:
    message = {"messageId": "m1", "userId": "ana", "traits": {"email": "ana@example.org"}}
    assert of_single("identify", message) == {"batch": [message | {"type": "identify"}], "sentAt": None}


def test_the_time_of_sending_of_a_single_message_is_that_of_its_batch() -> None:
    found = of_single("track", TRACK | {"sentAt": "2026-03-02T12:00:00Z"})
    assert found["sentAt"] == "2026-03-02T12:00:00Z"


def test_a_single_message_loses_its_write_key_and_gains_an_id() -> None:
    found = envelope.of_single("page", b' {"writeKey":"k", "anonymousId":"a"} ')
    assert found.write_key == "k"
    (message,) = json.loads(found.document)["batch"]
    assert uuid.UUID(message.pop("messageId"))
    assert message == {"type": "page", "anonymousId": "a"}


def test_an_empty_single_message_is_kept_for_the_loader_to_judge() -> None:
    (message,) = of_single("track", {})["batch"]
    assert set(message) == {"type", "messageId"}


def test_text_survives_byte_by_byte() -> None:
    body = '{"batch":[{"type":"track","messageId":"1","event":"Größe 👟 \\u00e9\\u0000"}]}'.encode()
    assert '"Größe 👟 \\u00e9\\u0000"'.encode() in envelope.of_batch(body).document


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"batch":[]} x', "not JSON"),
        (b'{"batch":[{"type":"track","a":"\x00"}]}', "not JSON"),
        (b'{"batch":[{"type":"track","a":NaN}]}', "not JSON"),
        (b'{"batch":[{"type":"track","a":"\\ud800"}]}', "not JSON"),
        (b'{"batch":[{"type":"track","a":"\xff"}]}', "byte 31 of the body is not UTF-8"),
        (b'{"batch":[{"type":"track","a":' + b"[" * 100_000, "nested too deeply"),
        (b"[]", "the body cannot be read: Expected `object`, got `array`"),
        (b"null", "the body cannot be read"),
        (b"{}", "`batch`"),
        (b'{"batch":{}}', "batch cannot be read: Expected `array`, got `object`"),
        (b'{"batch":[]}', "the batch is empty"),
        (b'{"batch":[{"type":"track"},3]}', "batch[1] cannot be read: Expected `object`, got `int`"),
        (b'{"batch":[{"type":"track"},{"type":"page"},{}]}', "batch[2] has no type"),
        (b'{"batch":[{"type":""}]}', "batch[0] has no type"),
        (b'{"batch":[{"type":"track"},{"type":7}]}', "batch[1].type cannot be read"),
    ],
)
def test_a_bad_batch_is_refused_saying_where(body: bytes, part: str) -> None:
    with pytest.raises(Refused) as refusal:
        envelope.of_batch(body)
    assert refusal.value.status == 400
    assert part in refusal.value.message
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"[]", "Expected `object`"),
        (b'"text"', "Expected `object`"),
        (b'{"type":"page"}', "it is of type 'page'"),
        (b'{"a":"\xc3"}', "byte 6 of the body is not UTF-8"),
    ],
)
def test_a_bad_single_message_is_refused(body: bytes, part: str) -> None:
    with pytest.raises(Refused) as refusal:
        envelope.of_single("track", body)
    assert refusal.value.status == 400
    assert part in refusal.value.message


def test_the_one_message_that_is_too_large_is_named() -> None:
    large = TRACK | {"properties": {"text": "x" * 32_700}}
    with pytest.raises(Refused) as refusal:
        of_batch({"batch": [TRACK, TRACK, large]})
    assert refusal.value.status == 413
    assert refusal.value.message.startswith("batch[2] has 32")
    with pytest.raises(Refused) as refusal:
        of_single("track", large)
    assert refusal.value.status == 413


def test_messages_at_the_limit_pass_and_a_byte_more_does_not() -> None:
    frame = len(json.dumps(TRACK | {"pad": ""}).encode())
    fits = TRACK | {"pad": "x" * (envelope.MESSAGE_BYTES_MAX - frame)}
    assert len(of_batch({"batch": [fits, fits]})["batch"]) == 2
    with pytest.raises(Refused):
        of_batch({"batch": [TRACK, fits | {"pad": fits["pad"] + "x"}]})


def test_gzip_is_inflated_no_further_than_the_limit() -> None:
    assert (
        envelope.inflate(gzip.compress(b"x" * envelope.REQUEST_BYTES_MAX))
        == b"x" * envelope.REQUEST_BYTES_MAX
    )
    with pytest.raises(Refused) as refusal:
        envelope.inflate(gzip.compress(b"x" * (envelope.REQUEST_BYTES_MAX + 1)))
    assert refusal.value.status == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"plain", PACKED[:-3], PACKED + b"more", PACKED[:5]],
    ids=["empty", "plain", "truncated", "trailing", "header"],
)
def test_broken_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        envelope.inflate(body)
    assert refusal.value.status == 400


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    messages=st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["track", "page", "something new"]), "properties": _json},
            optional={"messageId": st.none() | st.text(max_size=3), "userId": st.text()},
        ),
        min_size=1,
        max_size=5,
    )
)
def test_nothing_but_a_missing_id_changes_on_the_way(messages: list[dict[str, Any]]) -> None:
    kept = of_batch({"batch": messages})["batch"]
    assert len(kept) == len(messages)
    for came, went in zip(messages, kept, strict=True):
        if not came.get("messageId"):
            assert went.pop("messageId")
            came.pop("messageId", None)
        assert went == came
