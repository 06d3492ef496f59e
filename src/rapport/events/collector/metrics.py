"""What the collector has done since it started, in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Metrics:
    """Counters of one process; only its event loop's thread writes them."""

    events: int = 0
    bytes_read: int = 0
    answers: Counter[int] = field(default_factory=Counter)  # by HTTP status

    def text(self, *, commits: int, commit_s: float, waiting_bytes: int) -> str:
        lines = [
            "# HELP rapport_collector_requests_total Answers to requests that bring events.",
            "# TYPE rapport_collector_requests_total counter",
            *(
                f'rapport_collector_requests_total{{status="{status}"}} {n}'
                for status, n in sorted(self.answers.items())
            ),
        ]
        for name, kind, meaning, value in (
            ("events_total", "counter", "Events stored and acknowledged.", self.events),
            ("bytes_total", "counter", "Bytes of request bodies as they came.", self.bytes_read),
            ("commits_total", "counter", "Durable commits; many requests share one.", commits),
            ("commit_seconds_total", "counter", "Time spent in them.", round(commit_s, 6)),
            ("waiting_bytes", "gauge", "Bytes that wait for a commit.", waiting_bytes),
        ):
            full = f"rapport_collector_{name}"
            lines += [f"# HELP {full} {meaning}", f"# TYPE {full} {kind}", f"{full} {value}"]
        return "\n".join(lines) + "\n"
