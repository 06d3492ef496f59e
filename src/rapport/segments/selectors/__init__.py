"""Questions about segments: which there are, whom a rule holds for, and why."""

from __future__ import annotations

from rapport.segments.selectors.counting import (
    Members,
    Overlap,
    Size,
    count,
    members,
    overlaps,
    persons_arrow,
    reachable,
    sample,
    size,
)
from rapport.segments.selectors.explaining import Explained, explain
from rapport.segments.selectors.listing import (
    RefreshView,
    SegmentView,
    SizeOn,
    VersionView,
    asking_about,
    catalogue,
    history,
    refreshes,
    segment,
    segments,
    titles,
    versions,
)
from rapport.segments.selectors.membership import identifiers_of, members_arrow, segments_of

__all__ = [
    "Explained",
    "Members",
    "Overlap",
    "RefreshView",
    "SegmentView",
    "Size",
    "SizeOn",
    "VersionView",
    "asking_about",
    "catalogue",
    "count",
    "explain",
    "history",
    "identifiers_of",
    "members",
    "members_arrow",
    "overlaps",
    "persons_arrow",
    "reachable",
    "refreshes",
    "sample",
    "segment",
    "segments",
    "segments_of",
    "size",
    "titles",
    "versions",
]
