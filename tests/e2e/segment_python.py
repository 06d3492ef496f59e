"""Drives the unmodified `segment-analytics-python`: every kind of message, then many, in steps that the test paces.

Arguments: host, write key, events, steps. Prints a line when a step was handed to the library, waits for a
line on standard input before the next, and ends with one JSON document.
"""

import datetime as dt
import json
import logging
import sys

from segment.analytics.client import Client

host, key, n, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
failures: list[str] = []


class Retries(logging.Handler):
    """Counts what the library's log says of sending again."""

    n = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.n += "etry" in record.getMessage()


retries = Retries()
logging.getLogger("segment").setLevel(logging.DEBUG)
logging.getLogger("segment").addHandler(retries)
client = Client(
    key,
    host=host,
    gzip=True,
    max_queue_size=2 * n,
    upload_interval=0.05,
    on_error=lambda error, batch: failures.append(f"{len(batch)} events: {error}"),
)
campaign = {"campaign": {"name": "spring", "source": "mail"}}
client.identify("py-1", {"email": "Ana@Example.org", "name": "Ana"}, anonymous_id="py-browser")
client.page("py-1", "shop", "Wipers", {"path": "/wipers"}, context=campaign)
client.screen("py-1", "app", "Home")
client.group("py-1", "household-7", {"name": "Ruiz"})
client.alias("py-before", "py-1")
client.track(
    "py-1",
    "Order Completed",
    {"order_id": "P1", "total": 24.3, "currency": "EUR"},
    timestamp=dt.datetime(2026, 3, 2, 13, 0, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    integrations={"All": True, "Mailer": False},
)
client.flush()

per_step = n // steps
for step in range(steps):
    for i in range(step * per_step, (step + 1) * per_step):
        client.track(f"py-{i % 500}", "Coupon Viewed", {"number": i, "note": "Grüße 日本 " + "x" * (i % 50)})
    print("handed", flush=True)
    sys.stdin.readline()
client.flush()
client.join()
print(json.dumps({"failures": failures, "retried": retries.n}))
