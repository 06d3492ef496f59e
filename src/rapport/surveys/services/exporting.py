"""Taking answers out: for a purpose that those who gave them allow, marked and written down."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from rapport.consent import services as consent
from rapport.surveys.selectors import resulting

EXPORTED_MAX = 1_000_000


def export_answers(slug: str, purpose: str, *, by: str, why: str) -> consent.TakenOut:
    """Every answer of a survey as it was last given, of those who allow the purpose."""
    leave = consent.warrant(purpose, by=by, why=why)
    rows = resulting.answers_arrow(slug, leave, limit=EXPORTED_MAX)
    allowed = leave.subjects()["subject"]
    kept = rows.filter(pc.is_in(rows["subject"], value_set=allowed.combine_chunks()))
    columns = ("at", "response", "question", "answer", "score", "said", "language", "sentiment")
    texts = [kept[name].cast(pa.string()) for name in columns]
    table = pa.table([kept["person"], *texts], names=["id", *columns])
    return consent.take_out_rows(
        purpose, table, by=by, why=why, of={"survey": slug}, n_chosen=resulting.n_people(rows)
    )
