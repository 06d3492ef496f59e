"""How often something may be asked for: mails that a stranger can make us send to an address they type."""

from __future__ import annotations

import datetime as dt

from rapport.kit import clock, secret
from rapport.messaging.models import Asked

KEPT = dt.timedelta(days=2)


def may_ask(kind: str, who: str, *, most: int, within: dt.timedelta) -> bool:
    """Note that `who` asks, and whether that is within `most` times `within` a span; only a keyed hash is kept."""
    now = clock.now()
    key = secret.keyed_hash("asked", f"{kind}\x1f{who}")
    Asked.objects.filter(asked_at__lt=now - KEPT).delete()
    Asked.objects.create(kind=kind, who=key, asked_at=now)
    return Asked.objects.filter(kind=kind, who=key, asked_at__gt=now - within).count() <= most
