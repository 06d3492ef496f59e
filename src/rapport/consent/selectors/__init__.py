"""Questions to consent: is it allowed, what was said, who may be used for what."""

from __future__ import annotations

from rapport.consent.rules import Answer
from rapport.consent.selectors.allowing import allowed_subjects, allows, only_allowed, refused_subjects
from rapport.consent.selectors.defining import (
    PurposeView,
    WordingView,
    current_wording,
    purpose,
    purposes,
    wording,
    wordings,
)
from rapport.consent.selectors.exports import ExportView, export_view, exports
from rapport.consent.selectors.keeping import KeptView, retention
from rapport.consent.selectors.ledgers import (
    PAGE,
    CorePanel,
    LedgerFilter,
    LedgerRow,
    PanelCell,
    PanelLine,
    ledger,
    ledger_of,
    ledger_page,
    panel,
    undefined_purposes,
)
from rapport.consent.selectors.recipients import RecipientView, recipient, recipients, recipients_at
from rapport.consent.selectors.requests import (
    Due,
    RequestView,
    closed_requests,
    due,
    erasure_row,
    erasures,
    is_erased,
    n_to_replay,
    open_requests,
    request,
    requests_of,
)
from rapport.consent.selectors.standings import Standing, StandingPage, coverage, people_standing
from rapport.consent.selectors.wishes import FREQUENCIES, TopicView, preferences, topics
from rapport.consent.selectors.withholding import (
    SuppressionView,
    identifier_hash,
    is_suppressed,
    suppressed,
    suppressions,
)

__all__ = [
    "FREQUENCIES",
    "PAGE",
    "Answer",
    "CorePanel",
    "Due",
    "ExportView",
    "KeptView",
    "LedgerFilter",
    "LedgerRow",
    "PanelCell",
    "PanelLine",
    "PurposeView",
    "RecipientView",
    "RequestView",
    "Standing",
    "StandingPage",
    "SuppressionView",
    "TopicView",
    "WordingView",
    "allowed_subjects",
    "allows",
    "closed_requests",
    "coverage",
    "current_wording",
    "due",
    "erasure_row",
    "erasures",
    "export_view",
    "exports",
    "identifier_hash",
    "is_erased",
    "is_suppressed",
    "ledger",
    "ledger_of",
    "ledger_page",
    "n_to_replay",
    "only_allowed",
    "open_requests",
    "panel",
    "people_standing",
    "preferences",
    "purpose",
    "purposes",
    "recipient",
    "recipients",
    "recipients_at",
    "refused_subjects",
    "request",
    "requests_of",
    "retention",
    "suppressed",
    "suppressions",
    "topics",
    "undefined_purposes",
    "wording",
    "wordings",
]
