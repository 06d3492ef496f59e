"""What goes: comments with their author, their network's terms or a month, and pictures that no post shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from contextlib import suppress

from django.utils.translation import gettext as _

from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting, Section
from rapport.kit import clock, home
from rapport.kit.errors import NotFound
from rapport.listening import selectors as listening
from rapport.listening.services import album
from rapport.publishing.models import Comment, Post
from rapport.publishing.services.live import drop

UNUSED = dt.timedelta(days=1)  # a picture that was uploaded, and whose post nobody kept since
KEPT_DAYS = 30  # after which nobody works at the desk of a broadcast any more


def erase(erasing: Erasing) -> int:
    """Delete what they said, also where it stands for others who said the same; gives how many rows."""
    mine = Comment.objects.filter(identifier__in=erasing.identifiers) | Comment.objects.filter(
        subject__in=erasing.subjects
    )
    return drop(mine)


def sections(exporting: Exporting) -> Iterable[Section]:
    """What they said while something of ours ran live."""
    mine = Comment.objects.filter(identifier__in=exporting.identifiers) | Comment.objects.filter(
        subject__in=exporting.subjects
    )
    rows = [
        {
            "at": one.said_at,
            "identifier": one.identifier,
            "name": one.author_name,
            "where": one.venue or one.network,
            "text": one.text,
            "broadcast": one.broadcast.title,
            "read_as": _("question") if one.bunch.is_question else "",
            "our_answer": one.bunch.answer if one.is_answered else "",
        }
        for one in mine.select_related("broadcast", "bunch").order_by("said_at", "id")
    ]
    if rows:
        yield Section(_("Comments on our broadcasts"), rows, _("you said it while we were live"))


def forget_old() -> int:
    """Delete comments older than a month, or than their network or source lets us keep words; gives how many."""
    n = 0
    for network in list(Comment.objects.values_list("network", flat=True).distinct().order_by("network")):
        days = min(KEPT_DAYS, listening.keep_days_of(network) or KEPT_DAYS)
        n += drop(Comment.objects.filter(network=network, said_at__lt=clock.now() - dt.timedelta(days=days)))
    for source in list(Comment.objects.values_list("source", flat=True).distinct().order_by("source")):
        with suppress(NotFound):  # of a source that is gone the network's terms are all there is
            since = listening.source(source).kept_since
            if since is not None:
                n += drop(Comment.objects.filter(source=source, said_at__lt=since))
    return n


def take_away(digests: Collection[str]) -> int:
    """Delete those of some pictures that no post shows; gives how many. The caller holds the album."""
    if not digests:
        return 0
    shown = {
        one["digest"]
        for pictures in Post.objects.exclude(pictures=[]).values_list("pictures", flat=True)
        for one in pictures
    }
    unused = sorted(set(digests) - shown)
    for digest in unused:
        album.take_away(digest)
    return len(unused)


def forget_unused() -> int:
    """Delete pictures that were uploaded a day ago, and that no post shows; gives how many."""
    with album.held():
        return take_away(list(album.older_than(UNUSED.total_seconds())))


def forget_unused_if_due() -> int:
    """Once an hour, delete pictures that no post shows; gives how many."""
    marker = home.path("publishing", "pictures-looked-through")
    hour = f"{clock.now():%Y-%m-%dT%H}"
    if marker.is_file() and marker.read_text(encoding="ascii") == hour:
        return 0
    n = forget_unused()
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(hour, encoding="ascii")
    return n
