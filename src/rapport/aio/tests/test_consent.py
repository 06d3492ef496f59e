"""What people allow decides at once what is stated of them; what is erased leaves nothing; access shows everything."""

from __future__ import annotations

from pathlib import Path

from rapport.aio import selectors, services
from rapport.aio.models import Statement, Word
from rapport.aio.services import forgetting
from rapport.aio.tests.conftest import ANA, BO, CHI, Say, everybody, fond_of, row, wrote
from rapport.consent import erasers, exporters
from rapport.consent.services import erasing
from rapport.events import subscriptions
from rapport.people import selectors as people

LATE = "Two weeks late, ask ana.ruiz@example.org about it."


def of(ref: str) -> dict[str, selectors.StatementView]:
    return {f"{v.kind}:{v.about}": v for v in selectors.of_person(people.person_id(ref))}


def scored(ref: str) -> list[str]:
    return [s.name for s in people.person(ref).scores if s.model == "aio"]


def withdrawn(ref: str) -> dict[str, object]:
    return row("consent_withdrawn", ref, 0, properties={"purpose": "profiling"})


def test_withdrawal_removes_statements_at_once(say: Say) -> None:
    say(wrote(ANA, LATE), wrote(BO, LATE))
    services.refresh()
    services.not_so(ANA, "interest", "bulbs", by="person")
    assert of(ANA).keys() == {"opinion:on_time", "interest:bulbs"}
    span = say(withdrawn(ANA))
    assert of(ANA).keys() == {"interest:bulbs"}, "hidden as soon as consent knows, before anything is deleted"
    subscriptions.settle(span.first + span.n - 1, ["aio.refusals"])
    assert Statement.objects.count() == 1, "Bo's"
    assert scored(ANA) == []
    assert scored(BO) == ["opinion:on_time"]
    done = services.refresh()
    assert (done.n_people, done.n_statements) == (1, 1)
    say(row("consent_granted", ANA, -0.01, properties={"purpose": "profiling"}))
    services.refresh()
    assert of(ANA)["interest:bulbs"].state == "said_wrong", "what they called wrong stays so"


def test_who_refuses_to_be_read_is_not_read(say: Say) -> None:
    say(wrote(ANA, LATE), wrote(BO, LATE), row("consent_denied", ANA, 0, properties={"purpose": "analytics"}))
    services.refresh()
    assert of(ANA) == {}
    assert of(BO).keys() == {"opinion:on_time"}


def test_withdrawing_to_be_read_removes_what_rests_on_texts_at_once(say: Say) -> None:
    say(*everybody(), *fond_of(ANA, "bulbs"), wrote(ANA, LATE), wrote(BO, LATE))
    services.refresh()
    assert of(ANA).keys() == {"opinion:on_time", "interest:bulbs"}
    span = say(row("consent_withdrawn", ANA, 0, properties={"purpose": "analytics"}))
    assert of(ANA).keys() == {"interest:bulbs"}, "hidden as soon as consent knows"
    subscriptions.settle(span.first + span.n - 1, ["aio.refusals"])
    assert set(Statement.objects.values_list("about", "subject")) == {
        ("bulbs", people.subject_of(ANA)),
        ("on_time", people.subject_of(BO)),
    }
    assert (scored(ANA), scored(BO)) == (["interest:bulbs"], ["opinion:on_time"])


def test_erasure_leaves_no_row_and_no_quotation_that_names_them(say: Say) -> None:
    say(
        wrote(ANA, LATE),
        wrote(BO, LATE),
        row("person_identified", ANA, 9, also=["email:ana.ruiz@example.org"], evidence="login"),
    )
    services.refresh()
    services.not_so(ANA, "interest", "bulbs", by="person")
    mine = tuple(people.subjects_of(people.person_id(ANA)))
    asked = erasers.Erasing(mine, (ANA, "email:ana.ruiz@example.org"), (), mine)
    assert erasers.registered()["aio"](asked) == 3
    assert not Statement.objects.filter(subject__in=mine).exists()
    assert not Word.objects.exists()
    (kept,) = Statement.objects.all()
    assert "Two weeks late" in kept.evidence
    assert "ana.ruiz" not in kept.evidence
    assert erasers.registered()["aio"](asked) == 0, "it may be called again"


def test_thousands_are_erased_together(say: Say) -> None:
    """As public authors who fell silent are: more than one condition of a database can name."""
    say(wrote(ANA, LATE), wrote(BO, "Two weeks late, as @dan7 says, and so does bluesky:eve5.example."))
    services.refresh()
    others = [f"bluesky:silent{k}.example" for k in range(1_500)]
    assert forgetting.erase([], [*others, "bluesky:eve5.example"]) == 1
    kept = " ".join(Statement.objects.values_list("evidence", flat=True))
    assert "eve5" not in kept
    assert "dan7" in kept
    assert "ana.ruiz" in kept


def test_access_shows_statements_with_what_shows_them(say: Say, home: Path) -> None:
    del home
    say(wrote(ANA, LATE), wrote(CHI, "Hello."))
    services.refresh()
    show = exporters.registered()["aio"]
    mine = tuple(people.subjects_of(people.person_id(ANA)))
    (section,) = show(exporters.Exporting(mine, (ANA,), mine))
    (line,) = section.rows
    assert (line["about"], line["label"], line["origin"]) == ("Delivers when promised", "against", "inferred")
    assert line["evidence"] == [f"2026-02-27 email: “{LATE}”"]
    theirs = tuple(people.subjects_of(people.person_id(CHI)))
    assert list(show(exporters.Exporting(theirs, (CHI,), theirs))) == []


def test_who_is_erased_during_a_refresh_does_not_come_back(say: Say) -> None:
    say(wrote(ANA, LATE), wrote(BO, LATE))

    def erase_ana(step: str) -> None:
        if step == "writing":
            erasing.erase(ANA, by="alice@example.com")

    done = services.refresh(erase_ana)
    assert list(Statement.objects.values_list("subject", flat=True)) == [people.subject_of(BO)]
    assert (done.n_people, done.n_statements) == (1, 1)
    assert people.n_within(people.Within("opinion:on_time")) == 1
