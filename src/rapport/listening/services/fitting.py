"""Pictures of a post against what its network takes: said before it is planned, and carried out when it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from rapport.kit import home
from rapport.kit.errors import Invalid
from rapport.listening.contract import Connector, Finding, Media, Pictured, Pictures
from rapport.listening.models import Source
from rapport.listening.rules.pictures import Remark, Shape, remarks
from rapport.listening.services import pictures, sources

WHAT = "pictures"


def taken_by(source: Source) -> Pictures:
    """The pictures that the place of a source takes along with a post."""
    return _taken(sources.connector(source.connector), source)


def findings(source: Source, shapes: Sequence[Shape], n_chars: int = 0) -> list[Finding]:
    """What to say of a post's pictures by a source: `bad` where it may not leave, `warn` where it is changed."""
    offered = sources.connector(source.connector)
    found = remarks(shapes, _taken(offered, source), home.env("PUBLIC_URL"), n_chars)
    return [_finding(one, offered.title) for one in found]


def fitted(source: Source, media: Sequence[Media], n_chars: int = 0) -> tuple[Media, ...]:
    """The pictures as they leave, in memory; Invalid where one of them may not."""
    takes = taken_by(source)
    shapes = []
    read = []
    for one in media:
        try:
            read.append(one.read())
        except OSError:
            raise Invalid(
                _("a picture of this post is no longer kept"), _("Choose its file again.")
            ) from None
        shapes.append(Shape(one.content_type, one.width, one.height, len(read[-1]), one.alt))
    against = next((one for one in findings(source, shapes, n_chars) if one.state == "bad"), None)
    if against is not None:
        raise Invalid(against.message, against.hint)
    return tuple(_fit(one, content, takes) for one, content in zip(media, read, strict=True))


def as_taken(source: str, media: Media) -> Media:
    """One picture as it leaves by a source."""
    return fitted(sources.row(source), [media])[0]


def _taken(offered: Connector, source: Source) -> Pictures:
    if isinstance(offered, Pictured):
        return offered.pictures_of(sources.plain_of(source))
    return offered.manners.pictures


def _fit(one: Media, content: bytes, takes: Pictures) -> Media:
    made = pictures.fitted(
        pictures.Picture(content, one.content_type, one.width, one.height),
        bytes_max=takes.bytes_max,
        side_max=takes.side_max,
        kinds=takes.kinds,
    )
    return replace(
        one, content=made.content, content_type=made.content_type, width=made.width, height=made.height
    )


def _finding(one: Remark, title: str) -> Finding:
    says = {"title": title, "n": one.n, "figure": f"{one.figure:g}"}
    message, hint = {
        "needed": (_("%(title)s takes no post without a picture"), _("Add one.")),
        "none_taken": (
            _("pictures cannot be posted to %(title)s from here"),
            _("Leave this network out, or take the pictures away."),
        ),
        "too_many": (_("%(title)s takes %(figure)s pictures at most"), _("Take some away.")),
        "no_alt": (
            _("picture %(n)s has no alternative text"),
            _("Whoever cannot see it, and every search, has those words alone: say what it shows."),
        ),
        "long_alt": (
            _("the alternative text of picture %(n)s is longer than the %(figure)s characters of %(title)s"),
            _("Say it shorter."),
        ),
        "too_narrow": (
            _("picture %(n)s is too tall for %(title)s"),
            _("Cut it so that it is at least %(figure)s times as wide as it is tall."),
        ),
        "too_wide": (
            _("picture %(n)s is too wide for %(title)s"),
            _("Cut it so that it is at most %(figure)s times as wide as it is tall."),
        ),
        "not_reachable": (
            _("%(title)s fetches pictures from here, and this installation has no public https address"),
            _("Set RAPPORT_PUBLIC_URL to the https address at which it is reached from the internet."),
        ),
        "long_text": (
            _("with pictures %(title)s takes %(figure)s characters"),
            _("Say it shorter, or take the pictures away."),
        ),
        "alt_left_out": (
            _("%(title)s has no place for alternative texts"),
            _("Say in the post itself what matters of its pictures."),
        ),
        "made_smaller": (_("picture %(n)s is made smaller for %(title)s"), ""),
    }[one.code]
    return Finding(WHAT, "bad" if one.is_forbidden else "warn", message % says, hint % says)
