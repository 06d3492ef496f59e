from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rapport.events import lake, spool, subscriptions
from rapport.events import services as events
from rapport.kit import registry
from rapport.staff.models import Staff
from rapport.web import jobs
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint


class Newer:
    """Sentiment under a newer version's name."""

    def __init__(self, model: Any) -> None:
        self.model, self.version = model, "99"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


def versions() -> set[str]:
    with lake.connect() as con:
        return {
            version
            for (version,) in con.execute(
                "SELECT arg_max(version, run) FROM annotation WHERE name = 'sentiment' GROUP BY seq"
            ).fetchall()
        }


def test_a_new_version_reads_old_texts_in_the_background_and_the_list_shows_how_far(
    alice: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(touchpoint("post_published", "mastodon:bo@example.social", ts=MONDAY, text="Terrible cable!"))
    subscriptions.drain()
    events.settle(spool.current().next_seq() - 1)
    subscriptions.drain()
    jobs._read_texts_if_due()
    assert jobs.n_due() == 0, "everything is read"
    before = versions()
    plugin = registry.plugin("insights", "sentiment")
    newer = dataclasses.replace(plugin, offers=Newer(plugin.offers))
    monkeypatch.setattr(registry, "plugins", lambda kind: {"sentiment": newer})
    monkeypatch.setattr(registry, "plugin", lambda kind, name: newer)
    client = logged_in(alice)
    (model,) = client.get("/text-models/").context["models"]
    assert (model.version, model.percent, model.is_behind) == ("99", 0, True)
    assert versions() == before
    jobs._read_texts_if_due()
    jobs._read_texts_if_due()
    assert jobs.n_due() == 1, "asked for once"
    jobs.run_due()
    assert versions() == {"99"}
    (model,) = client.get("/text-models/").context["models"]
    assert (model.percent, model.is_behind) == (100, False)
