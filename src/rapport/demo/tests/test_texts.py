"""Texts: many, in five languages, whole sentences, and what is meant is known."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

from rapport.demo import draw, grammar
from rapport.demo.tests.conftest import Seen
from rapport.demo.world import LANGUAGES, world


def test_every_text_has_its_truth(seen: Seen) -> None:
    assert seen.one("SELECT count(*) FROM text ANTI JOIN event USING (message_id)") == 0
    assert (
        seen.one("SELECT count(*) FROM event ANTI JOIN text USING (message_id) WHERE text IS NOT NULL") == 0
    )
    assert seen.one("SELECT count(*) FROM text JOIN event e USING (message_id) WHERE e.text IS NULL") == 0
    assert seen.one("SELECT count(*) - count(DISTINCT message_id) FROM text") == 0


def test_the_truth_names_who_wrote(seen: Seen) -> None:
    wrong = (
        "SELECT count(*) FROM text t JOIN event e USING (message_id) JOIN single s USING (identifier)"
        " WHERE s.person <> t.person OR abs(epoch(t.at) - epoch(e.ts)) >= 1"
    )
    assert seen.one(wrong) == 0


def test_texts_are_manifold(seen: Seen) -> None:
    ((n, different),) = seen.rows("SELECT count(text), count(DISTINCT text) FROM event")
    assert n > 3000
    assert different > 0.85 * n


def test_five_languages_are_spoken_and_look_like_it(seen: Seen) -> None:
    found = dict(seen.rows("SELECT language, count(*) FROM text GROUP BY 1"))
    assert found.keys() == set(LANGUAGES)
    assert min(n for n in found.values()) > 200
    hangul = "regexp_matches(e.text, '[가-힣]')"
    join = "text t JOIN event e USING (message_id)"
    assert seen.one(f"SELECT avg({hangul}::INT) FROM {join} WHERE language = 'ko'") == 1
    others = f"SELECT avg({hangul}::INT) FROM {join} WHERE language <> 'ko'"
    assert seen.one(others) < 0.01  # a foreigner who names a Korean town


def test_texts_are_whole(seen: Seen) -> None:
    spoken = "event e JOIN text t USING (message_id)"
    for bad in ("[{}]", "  ", "^ | $", "\\bnull\\b|None"):
        assert seen.one(f"SELECT count(*) FROM event WHERE regexp_matches(text, '{bad}')") == 0, bad
    for language, bad in (("en", "\\ba [AEIO]"), ("fr", "\\b([lmt]a|de) Ostra")):
        where = f"t.language = '{language}' AND regexp_matches(e.text, '{bad}')"
        assert seen.one(f"SELECT count(*) FROM {spoken} WHERE {where}") == 0, bad
    assert seen.one("SELECT quantile_cont(length(text), 0.99) FROM event") < 450


def test_the_mix_is_realistic(seen: Seen) -> None:
    public = dict(
        seen.rows(
            "SELECT sentiment, count(*) / sum(count(*)) OVER () FROM text WHERE register = 'public' GROUP BY 1"
        )
    )
    assert 0.4 < public["neutral"] < 0.75
    assert public["negative"] > 0.1
    assert public["positive"] > 0.1
    assert 0.02 < seen.one("SELECT avg(is_ironic::INT) FROM text WHERE sentiment = 'negative'") < 0.15
    assert 0.05 < seen.one("SELECT avg(is_mixed::INT) FROM text WHERE aspect IS NOT NULL") < 0.25
    intents = {str(i) for (i,) in seen.rows("SELECT DISTINCT intent FROM text")}
    assert intents >= {
        "praise",
        "complaint",
        "question",
        "help_request",
        "purchase_intent",
        "churn_threat",
        "answer",
    }


def test_tone_follows_standing(seen: Seen) -> None:
    ((fond, sour),) = seen.rows(
        "SELECT avg((sentiment = 'positive')::INT) FILTER (advocacy > 0.3), avg((sentiment = 'positive')::INT)"
        " FILTER (advocacy < -0.1) FROM text JOIN person USING (person) WHERE aspect IS NOT NULL AND register = 'public'"
    )
    assert fond > 1.5 * sour


def test_scores_agree_with_words(seen: Seen) -> None:
    ((good, bad),) = seen.rows(
        "SELECT avg(CAST(properties->>'score' AS INT)) FILTER (t.sentiment = 'positive'),"
        " avg(CAST(properties->>'score' AS INT)) FILTER (t.sentiment = 'negative')"
        " FROM event e JOIN text t USING (message_id) WHERE (properties->>'survey') = 'nps'"
    )
    assert good >= 7
    assert bad < 6.5


def test_answers_follow_what_they_answer(seen: Seen) -> None:
    """A thread stays on its network, in its language and in time."""
    wrong = """
        SELECT count(*) FROM event r JOIN text rt USING (message_id)
        LEFT JOIN event p ON (p.properties->>'post_id') = (r.properties->>'in_reply_to')
        LEFT JOIN text pt ON pt.message_id = p.message_id
        WHERE rt.is_reply AND (p.ts IS NULL OR p.ts > r.ts OR p.name <> r.name OR pt.language <> rt.language
            OR split_part(p.identifier, ':', 1) <> split_part(r.identifier, ':', 1)
            OR coalesce(p.venue <> r.venue, false))
    """
    assert seen.one("SELECT count(*) FROM text WHERE is_reply") > 100
    assert seen.one(wrong) == 0


def test_complaints_name_their_order(seen: Seen) -> None:
    orphans = """
        SELECT count(*) FROM event c LEFT JOIN event o
            ON o.name = 'order_placed' AND (o.properties->>'order_id') = (c.properties->>'order_id')
        WHERE c.name = 'complaint_raised' AND (o.ts IS NULL OR o.ts > c.ts)
    """
    assert seen.one("SELECT count(*) FROM event WHERE name = 'complaint_raised'") > 80
    assert seen.one(orphans) == 0


@pytest.mark.parametrize("language", range(len(LANGUAGES)))
def test_every_template_renders(language: int) -> None:
    lexicon = grammar.lexicon()
    pools = np.repeat(np.arange(len(lexicon.pools)), 60)
    n = len(pools)
    rng = draw.stream("templates", 1)
    category = rng.integers(0, len(world().categories.names), n)
    fill = grammar.slots(
        rng, category, rng.integers(0, 11, n), rng.integers(0, 40, n), rng.integers(0, 20, n)
    )
    said = grammar.render(lexicon, rng, pools, np.full(n, language), np.ones(n, bool), fill).to_pylist()
    assert all(said)
    assert not [s for s in said if re.search(r"[{}\"\\]", s)]
    searched = lexicon.by_category("search")
    assert len({s for s, pool in zip(said, pools, strict=True) if pool in searched}) > 30


def test_a_slip_changes_two_letters_or_loses_one() -> None:
    texts = pa.array(["battery", "Öl", "bremsbeläge", "배터리를 샀어요", "wipers"] * 50)
    slips = draw.mistyped(texts, np.arange(250) % 2 == 0, draw.stream("slips", 1)).to_pylist()
    changed = 0
    for at, (before, after) in enumerate(zip(texts.to_pylist(), slips, strict=True)):
        assert at % 2 == 0 or before == after
        assert sorted(before) == sorted(after) or len(after) == len(before) - 1
        changed += before != after
    assert changed > 40
