"""The collector: accepts events over HTTP in the Segment shape, acknowledged once they are durable.

A raw ASGI application in a process of its own, without Django: beside the screens in one process it fell
from 222,000 to 8,200 events a second while one page was being rendered.

`POST /v1/{identify,track,page,screen,group,alias}` takes one message, `POST /v1/batch` takes
`{"batch": [...]}`; the one-letter paths of Segment's browser library (`/v1/t`, `/v1/b` ...) mean the same.
The write key is the user name of basic authentication, or `writeKey` in the body. Bodies may be gzip.

The answer is 200 `{"success": true}` only after the request is in the spool, flushed to disk. Anything
else was not stored: 400 (not JSON, not UTF-8, no messages, a message that is no object or has no type),
401 (key), 408 (too slow), 413 (over 500 kB, or a message over 32 kB), 415 (not gzip), 503 with
`Retry-After` (overloaded, disk full). A refusal is `{"error", "hint"}` and refuses the whole request.

A message without a `messageId` is given one here. Only a sender that gives its own can send again after a
broken connection and be counted once: the id given here is new each time. Whether an event is in the plan
is for the loader to judge, which keeps what it refuses; the collector looks no deeper than `type`.

The sender's address is not stored.
"""

from __future__ import annotations

from rapport.events.collector.asgi import Collector
from rapport.events.collector.server import serve

app = Collector()

__all__ = ["Collector", "app", "serve"]
