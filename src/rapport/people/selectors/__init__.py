"""Questions about people: one person, lists, search, timeline, who is whom."""

from __future__ import annotations

from rapport.people.selectors.analyst import analyst_engine, offer
from rapport.people.selectors.authors import AuthorTermsView, author_terms
from rapport.people.selectors.cores import (
    core_subjects,
    cores_for,
    identifiers_for,
    person_ids,
    subjects_for,
    with_their_cores,
)
from rapport.people.selectors.declaring import declaring
from rapport.people.selectors.heads import PersonRow, person_rows
from rapport.people.selectors.identity import identity_arrow, people_for
from rapport.people.selectors.listing import (
    Overview,
    PeoplePage,
    approximate_count,
    facets,
    forget_counts,
    overview,
    people_page,
)
from rapport.people.selectors.owning import OwnView, own
from rapport.people.selectors.persons import (
    EdgeView,
    IdentifierView,
    PersonView,
    Reason,
    ScoreView,
    TraitsOf,
    TraitView,
    begins_with,
    person,
    person_id,
    reasons,
    subject_of,
    subjects_of,
)
from rapport.people.selectors.proposals import (
    Line,
    Proposal,
    last_linking_run,
    n_proposals,
    proposal,
    proposals,
    side_by_side,
)
from rapport.people.selectors.scored import scores_arrow
from rapport.people.selectors.searching import Match, search
from rapport.people.selectors.spans import SharedDevice, Span, shared_devices, spans_for
from rapport.people.selectors.timelines import (
    Activity,
    Annotation,
    Arrivals,
    Timeline,
    TimelineEvent,
    activity,
    arrivals,
    timeline,
    timeline_of,
)

__all__ = [
    "Activity",
    "Annotation",
    "Arrivals",
    "AuthorTermsView",
    "EdgeView",
    "IdentifierView",
    "Line",
    "Match",
    "Overview",
    "OwnView",
    "PeoplePage",
    "PersonRow",
    "PersonView",
    "Proposal",
    "Reason",
    "ScoreView",
    "SharedDevice",
    "Span",
    "Timeline",
    "TimelineEvent",
    "TraitView",
    "TraitsOf",
    "activity",
    "analyst_engine",
    "approximate_count",
    "arrivals",
    "author_terms",
    "begins_with",
    "core_subjects",
    "cores_for",
    "declaring",
    "facets",
    "forget_counts",
    "identifiers_for",
    "identity_arrow",
    "last_linking_run",
    "n_proposals",
    "offer",
    "overview",
    "own",
    "people_for",
    "people_page",
    "person",
    "person_id",
    "person_ids",
    "person_rows",
    "proposal",
    "proposals",
    "reasons",
    "scores_arrow",
    "search",
    "shared_devices",
    "side_by_side",
    "spans_for",
    "subject_of",
    "subjects_for",
    "subjects_of",
    "timeline",
    "timeline_of",
    "with_their_cores",
]
