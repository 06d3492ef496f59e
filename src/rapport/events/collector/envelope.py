"""What one request holds: inflated, checked, and brought to the one shape the loader reads. Pure.

The shape is `{"batch":[...],"sentAt":...}`. It is put together from the very bytes that were checked, never
passed on as it came: JSON allows a key twice, and a document in which this module and the loader saw two
different batches would number its events wrongly.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Any

import msgspec

from rapport.kit import ids

REQUEST_BYTES_MAX = 500 * 1024  # inflated or not, as Segment's own limit
# The same number as `rules.MESSAGE_BYTES_MAX` (a test holds them together), stated here because `rules`
# brings pyarrow, which the check of a request has no use for.
MESSAGE_BYTES_MAX = 32_768

SPOKEN = "identify, track, page, screen, group or alias"
_JSON_HINT = "Send one JSON object, encoded in UTF-8."


class Refused(Exception):
    """A request that is not stored: the HTTP status, what is wrong, and what to do."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Envelope:
    """One request in the loader's shape."""

    n: int  # messages in it
    document: bytes
    write_key: str | None


# gc=False: these hold nothing that could point back at them, and a collector that tracks 50 of them a
# request spends a tenth of its time in the garbage collector.
class _Message(msgspec.Struct, rename="camel", gc=False):
    type: str | None = None
    message_id: Any = None


class _Single(_Message, rename="camel", gc=False):
    sent_at: msgspec.Raw = msgspec.Raw()
    write_key: str | None = None


class _Batch(msgspec.Struct, rename="camel", gc=False):
    batch: msgspec.Raw
    sent_at: msgspec.Raw = msgspec.Raw()
    write_key: str | None = None


_decode_batch = msgspec.json.Decoder(_Batch).decode
_decode_single = msgspec.json.Decoder(_Single).decode
_decode_messages = msgspec.json.Decoder(list[_Message]).decode
_decode_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.encode


def inflate(body: bytes) -> bytes:
    """Undo gzip, stopping at the size limit, so that a small bomb cannot fill the memory."""
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, REQUEST_BYTES_MAX + 1)
    except zlib.error as error:
        raise Refused(
            400, f"the body is not gzip: {error}", "Send what Content-Encoding says, or leave it out."
        ) from None
    if len(plain) > REQUEST_BYTES_MAX:
        raise too_large()
    if not stream.eof or stream.unused_data:
        raise Refused(400, "the gzip body is cut off or continues after its end", "Send it again, whole.")
    return plain


def too_large() -> Refused:
    return Refused(
        413, f"the request is larger than {REQUEST_BYTES_MAX // 1024} kB", "Send fewer messages at a time."
    )


def of_batch(body: bytes) -> Envelope:
    """The envelope of `/v1/batch`."""
    _check_utf8(body)
    request: _Batch = _decode(_decode_batch, body, "")
    raw: bytes = request.batch
    messages: list[_Message] = _decode(_decode_messages, raw, "batch")
    if not messages:
        raise Refused(400, "the batch is empty", "Send at least one message.")
    if len(raw) > MESSAGE_BYTES_MAX:
        sizes = list(map(len, _decode_raws(raw)))
        if max(sizes) > MESSAGE_BYTES_MAX:
            largest = sizes.index(max(sizes))
            raise _too_large_message(f"batch[{largest}]", sizes[largest])
    lacks_id = False
    for message in messages:
        if not message.type:
            i = next(i for i, m in enumerate(messages) if not m.type)
            raise Refused(400, f"batch[{i}] has no type", f"Say what each message is: {SPOKEN}.")
        if not message.message_id:
            lacks_id = True
    if lacks_id:
        raw = _with_ids(raw)
    return Envelope(len(messages), _document(raw, request.sent_at), request.write_key)


def of_single(kind: str, body: bytes) -> Envelope:
    """The envelope of `/v1/<kind>`, whose body is the message itself."""
    _check_utf8(body)
    if len(body) > MESSAGE_BYTES_MAX:
        raise _too_large_message("the message", len(body))
    message: _Single = _decode(_decode_single, body, "")
    if message.type and message.type != kind:
        raise Refused(
            400, f"the message says it is of type {message.type!r}", f"Send it to /v1/{message.type}."
        )
    if not message.type or not message.message_id or message.write_key:
        fields = _with_id(_decode_fields(body))
        fields.pop("writeKey", None)
        fields["type"] = msgspec.Raw(b'"%b"' % kind.encode())
        body = _encode(fields)
    return Envelope(1, _document(b"[%b]" % body, message.sent_at), message.write_key)


def _with_ids(raw: bytes) -> bytes:
    """The batch again, with an id for each message that had none."""
    return _encode([_with_id(_decode_fields(one)) for one in _decode_raws(raw)])


def _with_id(fields: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    if fields.get("messageId", _NULL) in (_NULL, _EMPTY):
        fields["messageId"] = msgspec.Raw(b'"%b"' % str(ids.uuid7()).encode())
    return fields


_NULL, _EMPTY = msgspec.Raw(b"null"), msgspec.Raw(b'""')


def _document(batch: bytes, sent_at: bytes) -> bytes:
    return b'{"batch":%b,"sentAt":%b}' % (batch, sent_at or b"null")


def _check_utf8(body: bytes) -> None:
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise Refused(400, f"byte {error.start} of the body is not UTF-8", _JSON_HINT) from None


def _too_large_message(where: str, size: int) -> Refused:
    return Refused(
        413,
        f"{where} has {size} bytes; a message may have {MESSAGE_BYTES_MAX}",
        "Send large content elsewhere, and its address in the message.",
    )


def _decode(decode: Any, body: bytes, where: str) -> Any:
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        place = (where + re.sub(r"`$", "", path)).removeprefix(".") or "the body"
        hint = _JSON_HINT if place == "the body" else f"Say what each message is: {SPOKEN}."
        raise Refused(400, f"{place} cannot be read: {what}", hint) from None
    except msgspec.DecodeError as error:
        raise Refused(400, f"the body is not JSON: {error}", _JSON_HINT) from None
    except RecursionError:
        raise Refused(400, "the body is nested too deeply", "Send flatter properties.") from None
