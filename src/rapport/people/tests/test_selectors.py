"""Lists, search, timeline, last signs of life, what an import brought, who is whom."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rapport.events import lake
from rapport.events import services as events
from rapport.kit import snapshots
from rapport.kit.errors import Invalid, NotFound
from rapport.people import models, selectors, services
from rapport.people.selectors import identity
from rapport.people.selectors.listing import Order
from rapport.people.tests.conftest import MONDAY, Log, Say, identified, touchpoint

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def hundred(tell: Log) -> list[int]:
    """A hundred customers, two of each name, in two countries; and a visitor."""
    tell(
        *(
            identified(
                f"customer:{n}",
                f"email:c{n:03}@example.org",
                traits={
                    "name": f"Name{n // 2:02} Ruiz",
                    "country": "ES" if n % 10 else "PT",
                    "language": "es",
                },
            )
            for n in range(100)
        ),
        touchpoint("page_viewed", "anonymous:c000"),
    )
    return sorted(models.Person.objects.filter(kind="person").values_list("id", flat=True))


def walk(**filters: Any) -> list[list[int]]:
    """Every page's ids, forward; and it is checked that walking back gives the same pages."""
    pages = [selectors.people_page(limit=7, **filters)]
    while pages[-1].next:
        pages.append(selectors.people_page(limit=7, cursor=pages[-1].next, **filters))
    back = [pages[-1]]
    while back[-1].previous:
        back.append(selectors.people_page(limit=7, cursor=back[-1].previous, **filters))
    ids = [[row.id for row in page.rows] for page in pages]
    flat = [i for page in reversed(back) for i in (row.id for row in page.rows)]
    assert flat == [i for page in ids for i in page]
    return ids


FILTERS: list[dict[str, str]] = [
    {},
    {"country": "PT"},
    {"language": "es"},
    {"country": "ES", "language": "es"},
]


def test_paging_shows_everybody_once_in_order_and_back(hundred: list[int]) -> None:
    rows = {p.id: (p.sort_name, p.id) for p in models.Person.objects.all()}
    for filters in FILTERS:
        expected = list(models.Person.objects.filter(kind="person", **filters).values_list("id", flat=True))
        newest = [i for page in walk(**filters) for i in page]
        assert newest == sorted(expected, reverse=True)
        named = [i for page in walk(order="name", **filters) for i in page]
        assert named == sorted(expected, key=lambda i: rows[i])


def test_a_list_may_be_of_those_whom_another_domain_chose(
    hundred: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = np.array([*hundred[::3], 1 << 60])  # one of them is nobody any more
    for near in (2_000, 4):  # so few are tried first that the rest is needed too
        monkeypatch.setattr("rapport.people.selectors.listing.NEAR", near)
        for filters in FILTERS:
            fit = set(models.Person.objects.filter(kind="person", **filters).values_list("id", flat=True))
            expected = [i for i in hundred[::3] if i in fit]
            assert [i for page in walk(among=chosen, **filters) for i in page] == expected[::-1]
            assert {i for page in walk(among=chosen, order="name", **filters) for i in page} == set(expected)
    assert walk(among=np.array([], np.int64)) == [[]]
    found = selectors.people_page(text="Name00", among=chosen)
    assert [row.id for row in found.rows] == [hundred[0]]


def test_the_first_page_has_no_neighbour_before_it_and_a_damaged_cursor_is_refused(
    hundred: list[int],
) -> None:
    page = selectors.people_page(limit=60)
    assert (len(page.rows), bool(page.next), page.previous) == (60, True, "")
    last = selectors.people_page(limit=60, cursor=page.next)
    assert (len(last.rows), last.next, bool(last.previous)) == (40, "", True)
    assert (
        selectors.people_page(limit=60, cursor=page.next, order="name").previous == ""
    )  # sorted anew: from the top
    for cursor in ("x", "WyJuZXh0Il0", page.next[:-3]):
        with pytest.raises(Invalid, match="damaged"):
            selectors.people_page(cursor=cursor)
    with pytest.raises(Invalid, match="no kind of people 'robot'"):
        selectors.people_page("robot")


def test_a_list_can_be_searched_and_filtered_at_once(hundred: list[int]) -> None:
    assert [r.display_name for r in selectors.people_page(text="name05").rows] == [
        "Name05 Ruiz",
        "Name05 Ruiz",
    ]
    page = selectors.people_page(text="ruiz", country="PT", order="name")
    assert [r.country for r in page.rows] == ["PT"] * 10
    assert not page.is_capped
    assert [r.kind for r in selectors.people_page("visitor", text="c000").rows] == ["visitor"]


SEARCHES = {
    "ana": ["Ána María Ruiz"],
    "RUIZ an": ["Ána María Ruiz"],
    "maria ruiz ana": ["Ána María Ruiz"],
    "ruiz bo": [],
    "Ana@Exam": ["Ána María Ruiz"],
    "+34 600-11": ["Ána María Ruiz"],
    "0034 600 11": ["Ána María Ruiz"],
    "34600": ["Ána María Ruiz"],
    "@bo": ["Author 16"],  # by the handle alone: a public author has no name here
    "mastodon:bo@": ["Author 16"],
    "berg": [],
    "customer:1": ["Ána María Ruiz"],
    "abcd": ["visitor abcdefgh"],
    "zzz": [],
    "   ": [],
    "%": [],
    "_": [],
    "ruiz'; --": ["Ána María Ruiz"],  # punctuation parts words and does nothing else
}


def test_search(tell: Log) -> None:
    tell(
        identified(
            "customer:1", "email:ana@example.org", "phone:+34600112233", traits={"name": "Ána María Ruiz"}
        ),
        touchpoint(
            "post_published", "mastodon:bo@example.social", text="x", properties={"author_name": "Bo Berg"}
        ),
        touchpoint("page_viewed", "anonymous:abcdefghij"),
    )
    assert {q: [m.person.display_name for m in selectors.search(q)] for q in SEARCHES} == SEARCHES


def test_search_puts_the_exact_before_the_longer_and_persons_before_visitors(tell: Log) -> None:
    tell(
        touchpoint("page_viewed", "anonymous:anabel"),
        identified("customer:anabel"),
        identified("customer:ana"),
        identified("customer:9", traits={"name": "Ana"}),
    )
    found = [(m.person.display_name, m.found_by) for m in selectors.search("ana")]
    assert found == [
        ("customer ana", "customer:ana"),
        ("customer anabel", "customer:anabel"),
        ("Ana", ""),
        ("visitor anabel", "anonymous:anabel"),
    ]
    assert [m.found_by for m in selectors.search("ana", limit=1)] == ["customer:ana"]


def plans(queries: CaptureQueriesContext) -> list[str]:
    """What the database would do for each captured query."""
    found = []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Test tables are small, where reading all is cheapest; ask what is possible without.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        for query in list(queries):
            if "people_" not in query["sql"]:
                continue
            explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
            cursor.execute(explain + query["sql"])
            found.append(query["sql"] + "\n" + "\n".join(str(row) for row in cursor.fetchall()))
    return found


def test_no_list_reads_or_sorts_a_whole_table(hundred: list[int]) -> None:
    orders: tuple[Order, ...] = ("newest", "name")
    for order, filters in itertools.product(orders, FILTERS[:3]):
        first = selectors.people_page(limit=3, order=order, **filters)
        second = selectors.people_page(limit=3, order=order, cursor=first.next, **filters)
        with CaptureQueriesContext(connection) as queries:
            selectors.people_page(limit=3, order=order, **filters)
            selectors.people_page(limit=3, order=order, cursor=first.next, **filters)
            selectors.people_page(limit=3, order=order, cursor=second.previous, **filters)
        explained = plans(queries)
        assert len(explained) == 3
        for plan in explained:
            assert "SCAN people_" not in plan
            assert "Seq Scan on people_" not in plan
            assert "TEMP B-TREE" not in plan
            assert "Sort Key" not in plan


def test_neither_search_nor_a_person_reads_a_whole_table(home: Path, hundred: list[int]) -> None:
    with CaptureQueriesContext(connection) as queries:
        selectors.search("name07 ruiz")
        selectors.search("c007@")
        selectors.person("email:c007@example.org")
        selectors.facets("country")
        selectors.activity(hundred[:50])
    explained = plans(queries)
    assert len(explained) > 10
    for plan in explained:
        assert "SCAN people_" not in plan, plan
        assert "Seq Scan on people_" not in plan, plan


def test_a_person_is_found_by_any_reference(ana_and_bo: tuple[int, int]) -> None:
    ana, bo = ana_and_bo
    second = selectors.subject_of("email:ana@example.org")
    for ref in (ana, str(ana), second, "customer:1", " email:ANA@example.org "):
        assert selectors.person(ref).id == ana
    assert selectors.person("mastodon:@Bo@example.social").id == bo
    for ref in ("customer:2", "12345", "ana", "", "99999999999999999999999"):
        with pytest.raises(NotFound, match="nobody is known as"):
            selectors.person(ref)


def test_a_timeline_is_newest_first_and_pages_without_gap(say: Say) -> None:
    say(
        *(
            touchpoint("page_viewed", "customer:1", ts=MONDAY + HOUR * (n // 2), properties={"n": n})
            for n in range(9)
        )
    )
    say(touchpoint("page_viewed", "customer:2", also=["customer:1"], ts=MONDAY - HOUR, properties={"n": -1}))
    shown: list[int] = []
    cursor = ""
    while True:
        page = selectors.timeline(selectors.person_id("customer:1"), before=cursor, limit=4)
        shown += [e.properties["n"] for e in page.events]
        if not (cursor := page.next):
            break
    assert shown == [8, 7, 6, 5, 4, 3, 2, 1, 0, -1]
    with pytest.raises(Invalid, match="damaged"):
        selectors.timeline(1, before="yesterday")


def test_a_timeline_shows_money_words_and_what_models_said(say: Say) -> None:
    span = say(
        touchpoint(
            "order_placed",
            "customer:1",
            value_minor=8450,
            currency="EUR",
            channel="shop",
            properties={"order_id": "7"},
        ),
        touchpoint("message_received", "customer:1", text="Where is it?", venue="mail", ts=MONDAY + HOUR),
        touchpoint("page_viewed", "customer:1", ts=MONDAY + 2 * HOUR),
    )
    person = selectors.person_id("customer:1")
    row = {"seq": span.first + 1, "subject": person, "ts": MONDAY + HOUR, "model": "m", "probability": 0.9}
    for run in (0, 1):
        said = [
            {
                **row,
                "name": "sentiment",
                "label": ("positive", "negative")[run],
                "value": -0.5,
                "version": str(run),
            },
            {**row, "name": "language", "label": "en", "version": "1"},
        ]
        noted = events.annotate(pa.Table.from_pylist(said, schema=events.rules.ANNOTATION))
        events.settle(noted.first + noted.n - 1)
    asked, bought = selectors.timeline(person, kinds=["said", "bought"]).events
    assert (str(bought.value), bought.channel, bought.name) == ("84.50 EUR", "shop", "order_placed")
    assert (asked.text, asked.venue) == ("Where is it?", "mail")
    assert [(a.name, a.label, a.version) for a in asked.annotations] == [
        ("language", "en", "1"),
        ("sentiment", "negative", "1"),
    ]
    assert bought.annotations == ()
    with pytest.raises(Invalid, match="no filter 'dreamt'"):
        selectors.timeline(person, kinds=["dreamt"])


def test_signs_of_life_join_all_subjects_of_a_person(say: Say) -> None:
    say(
        touchpoint("page_viewed", "anonymous:a", ts=MONDAY - HOUR * 48),
        touchpoint(
            "order_placed", "customer:1", also=["anonymous:a"], evidence="login", properties={"order_id": "1"}
        ),
        touchpoint("page_viewed", "anonymous:a", ts=MONDAY + HOUR),
        identified("customer:2"),
    )
    ana, bo = (selectors.person_id(f"customer:{n}") for n in (1, 2))
    found = selectors.activity([ana, bo])
    assert found == {
        ana: selectors.Activity(MONDAY - HOUR * 48, MONDAY + HOUR, 3),
        bo: selectors.Activity(None, None, 0),
    }
    assert selectors.activity([]) == {}


def test_arrivals_tell_new_people_from_those_known(say: Say) -> None:
    say(identified("customer:1"), identified("customer:2"))
    span = say(
        identified("customer:1", "email:ana@example.org"),  # a new address of somebody known
        identified("customer:3", "email:chi@example.org"),
        touchpoint("post_published", "mastodon:dana", text="x"),
        touchpoint("product_listed", "product:7", properties={"product_code": "7"}),
    )
    say(identified("customer:4"))
    found = selectors.arrivals(span.first, span.first + span.n - 1)
    assert (found.new, found.matched) == (2, 1)
    assert found.new_by_kind == {"person": 1, "author": 1, "visitor": 0}


def test_overview_counts_by_kind_and_what_is_new(say: Say) -> None:
    say(
        identified("customer:1", traits={"country": "ES"}),
        identified("customer:2", traits={"country": "PT"}),
        identified("customer:3"),
        touchpoint("page_viewed", "anonymous:1"),
    )
    found = selectors.overview()
    assert (found.persons, found.authors, found.visitors) == (3, 0, 1)
    assert (found.new_persons, found.new_authors, found.new_visitors) == (3, 0, 1)
    assert selectors.overview(days=0).new_persons == 0  # nothing was loaded since this very moment
    models.Person.objects.filter(id=selectors.person_id("customer:2")).delete()
    assert selectors.approximate_count("person") == 3  # kept for a while
    selectors.forget_counts()
    assert selectors.approximate_count("person") == 2


def test_filters_offer_the_values_there_are(hundred: list[int]) -> None:
    assert selectors.facets("country") == ["ES", "PT"]
    assert selectors.facets("language") == ["es"]
    assert selectors.facets("country", "author") == []


def expected_identity() -> dict[int, tuple[int, int]]:
    return {i.subject: (i.person, i.core) for i in models.Identity.objects.all()}


def read_identity() -> dict[int, tuple[int, int]]:
    table = selectors.identity_arrow()
    subjects = table["subject"].to_pylist()
    assert subjects == sorted(subjects)
    return {row["subject"]: (row["person"], row["core"]) for row in table.to_pylist()}


def test_the_identity_table_is_a_snapshot_and_what_changed_since(
    home: Path, hundred: list[int], tell: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_identity() == expected_identity()
    assert not list((home / "snapshots").glob("*"))  # too few to be worth one
    monkeypatch.setattr(identity, "RENEW_CHANGES", 50)
    assert read_identity() == expected_identity()
    (first,) = (home / "snapshots").glob("identity-*.parquet")
    edge = services.merge(hundred[0], hundred[50], evidence="staff", by="alice@example.org").edge
    tell(identified("customer:new", "email:new@example.org"))
    assert read_identity() == expected_identity()
    assert list((home / "snapshots").glob("*")) == [first]  # few changes are laid over it
    services.unmerge(edge, by="alice@example.org")
    assert read_identity() == expected_identity()
    for n in range(3):
        tell(*(identified(f"customer:{n}-{i}") for i in range(60)))
        assert read_identity() == expected_identity()
    assert len(list((home / "snapshots").glob("*"))) == snapshots.KEPT


def test_an_erased_person_leaves_the_identity_table(
    home: Path, hundred: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "RENEW_CHANGES", 50)
    read_identity()
    services.erase(hundred[3])
    assert hundred[3] not in read_identity()
    assert read_identity() == expected_identity()


def test_a_snapshot_from_the_future_of_a_restored_backup_is_dropped(
    home: Path, hundred: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "RENEW_CHANGES", 50)
    read_identity()
    models.Watermark.objects.update(value=1)
    models.Identity.objects.update(changed_seq=1)
    models.Identity.objects.filter(person=hundred[0]).update(person=hundred[1])
    assert read_identity() == expected_identity()


def test_people_for_maps_a_few_and_many_alike(
    home: Path, hundred: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects = np.asarray([*models.Identity.objects.values_list("subject", flat=True), 10**12])
    few = selectors.people_for(subjects)
    monkeypatch.setattr(identity, "LOOKUPS_MAX", 10)
    assert selectors.people_for(subjects).equals(few)
    assert few.num_rows == len(subjects) - 1


def test_every_query_is_understood(home: Path) -> None:
    assert lake.check_queries("rapport.people") >= 5
