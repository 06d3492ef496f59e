"""What consent keeps of a person is shown to them, and goes with them."""

from __future__ import annotations

from rapport.consent import erasers, exporters, selectors, services
from rapport.consent.models import Preference, Record, Restriction
from rapport.consent.tests.conftest import Say, identified, said
from rapport.kit import clock
from rapport.people import selectors as people

ANA, BO, CHI = "email:ana@example.org", "email:bo@example.org", "email:chi@example.org"


def told(say: Say) -> tuple[int, int]:
    """Ana and Bo answered; Chi did, whom the log has not numbered yet."""
    say(
        identified(ANA),
        identified(BO),
        said("granted", ANA, "marketing", "email"),
        said("denied", BO, "research"),
    )
    services.state_preference(ANA, "frequency", "weekly")
    services.grant(CHI, "marketing", "email", how="form", shown="/news")
    services.restrict(ANA, by="alice", reason="contests the address")
    services.suppress(ANA, "email", "complained")
    return people.subject_of(ANA), people.subject_of(BO)


def test_everything_is_shown(say: Say) -> None:
    ana, _bo = told(say)
    exporter = exporters.registered()["consents and wishes"]
    shown = {s.title: s.rows for s in exporter(exporters.Exporting((ana,), (ANA,)))}
    assert [(r["purpose"], r["state"], r["origin"]) for r in shown["What you allowed and refused"]] == [
        ("marketing", "granted", "crm")
    ]
    assert [(r["name"], r["value"]) for r in shown["What you would rather have"]] == [("frequency", "weekly")]
    assert [r["reason"] for r in shown["Where we send you nothing"]] == ["complained"]
    assert len(shown["Times when use of your data was restricted"]) == 1
    waiting = {s.title: s.rows for s in exporter(exporters.Exporting((), (CHI,)))}
    assert waiting["What you allowed and refused"][0]["identifier"] == CHI


def test_everything_goes_and_the_suppression_holds(say: Say) -> None:
    ana, bo = told(say)
    assert set(selectors.allowed_subjects("marketing", "email")["subject"].to_pylist()) == set()
    eraser = erasers.registered()["consents and wishes"]
    erasing = erasers.Erasing((ana,), (ANA,), ())
    assert eraser(erasing) == 3
    assert eraser(erasing) == 0
    assert eraser(erasers.Erasing((), (CHI,), ())) == 1
    assert list(Record.objects.values_list("subject", flat=True)) == [bo]
    assert not Preference.objects.exists()
    assert not Restriction.objects.exists()
    assert selectors.is_suppressed(ANA, "email") == "complained"
    assert not selectors.allows(ANA, "marketing", "email", clock.now())


def test_analysts_see_the_ledger(say: Say) -> None:
    told(say)
    question = "SELECT purpose, state FROM consent WHERE subject IS NOT NULL ORDER BY purpose"
    with people.analyst_engine(question) as con:
        assert con.execute(question).fetchall() == [("marketing", "granted"), ("research", "denied")]
