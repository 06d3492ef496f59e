-- grain: one row per text of a person that may be read
-- needs: event, annotation, identity
-- gives: seq, subject, person, ts, name, place, words, plain, is_of_us
-- units: plain is the text in lower case without accents and signs, a blank at both ends
-- What others said is not theirs: a repost, a quoted line. What says of itself that it is irony is left out, and what
-- one says again in the same words counts once. A public post is_of_us where it names the firm; where people hardly
-- ever do, because they call it something else, every post may be of us. One that links elsewhere mostly passes on what
-- others say. A text in a language in which nobody would notice what may not be used is left out.
WITH spam AS (
    SELECT a.seq
    FROM annotation AS a
    WHERE a.name = 'intent' AND a.ts >= $since::TIMESTAMPTZ
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) = 'spam'
),
spoken AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS language
    FROM annotation AS a
    WHERE a.name = 'language' AND a.ts >= $since::TIMESTAMPTZ
    GROUP BY a.seq
),
own AS (
    SELECT
        e.seq,
        e.subject,
        i.person,
        e.ts,
        e.name,
        coalesce(nullif(e.venue, ''), nullif(e.channel, ''), e.source) AS place,
        trim(regexp_replace(e."text", '(?m)^\s*>.*$', '', 'g')) AS words
    FROM event AS e
    INNER JOIN identity AS i ON i.subject = e.subject
    WHERE e.ts >= $since::TIMESTAMPTZ AND e.ts < $now::TIMESTAMPTZ
        AND e."text" IS NOT NULL
        AND NOT list_contains($own_words, e.name)
        AND NOT regexp_matches(e."text", '(?i)^\s*RT @|(^|\s)/s(\s|$)|#(sarcas|ironi|not\b|ironie)|🙄|🙃')
),
plainly AS (
    SELECT
        o.*,
        ' ' || trim(regexp_replace(replace(nfc_normalize(strip_accents(lower(o.words))), 'ß', 'ss'), '[^\p{L}\p{N}]+', ' ', 'g')) || ' ' AS plain
    FROM own AS o
    WHERE o.words <> '' AND o.seq NOT IN (SELECT s.seq FROM spam AS s)
        AND o.seq NOT IN (
            SELECT k.seq
            FROM spoken AS k
            WHERE k.language NOT IN ('', 'und') AND NOT list_contains($languages::VARCHAR[], k.language)
        )
),
naming AS (
    SELECT coalesce(avg(CASE WHEN regexp_matches(p.plain, $ours) THEN 1 ELSE 0 END), 0) AS share
    FROM plainly AS p
    WHERE p.name = 'post_published'
)
SELECT
    p.seq,
    p.subject,
    p.person,
    p.ts,
    p.name,
    p.place,
    p.words,
    p.plain,
    p.name <> 'post_published'
    OR (
        NOT regexp_matches(p.words, '(?i)https?://')
        AND (regexp_matches(p.plain, $ours) OR n.share < $naming_share_min)
    ) AS is_of_us
FROM plainly AS p
CROSS JOIN naming AS n
QUALIFY row_number() OVER (
    PARTITION BY p.person, regexp_replace(lower(p.words), '@[a-z0-9_.]+|\s+|https?://\S+', '', 'g')
    ORDER BY p.ts, p.seq
) = 1
