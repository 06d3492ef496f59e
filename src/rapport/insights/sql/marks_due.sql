-- grain: one row per text in public or in our community whose account is held to be something else than its mark says
-- needs: event, annotation, identity, judged
-- given: judged(person BIGINT, label VARCHAR, value DOUBLE, reason VARCHAR)
-- gives: seq, subject, ts, label, value, detail
-- units: value is the chance of being genuine; an empty label takes a mark back. Accounts held to be genuine have no mark
WITH mark AS (
    SELECT
        a.seq,
        arg_max(a.label, a.run) AS label,
        arg_max(a.model, a.run) AS model
    FROM annotation AS a
    WHERE a.name = 'authenticity'
    GROUP BY a.seq
),
wanted AS (
    SELECT
        e.seq,
        e.subject,
        e.ts,
        j.label,
        j.value,
        j.reason
    FROM event AS e
    INNER JOIN identity AS i ON e.subject = i.subject
    INNER JOIN judged AS j ON i.person = j.person
    WHERE e.name IN ('post_published', 'community_posted') AND e."text" IS NOT NULL
)
SELECT
    w.seq,
    w.subject,
    w.ts,
    w.label,
    w.value,
    concat('{"words": [], "reason": ', to_json(w.reason), '}') AS detail
FROM wanted AS w
LEFT JOIN mark AS m ON w.seq = m.seq
WHERE coalesce(m.label, '') <> w.label
UNION ALL
SELECT
    e.seq,
    e.subject,
    e.ts,
    '' AS label,
    NULL AS value,
    NULL AS detail
FROM mark AS m
INNER JOIN event AS e ON m.seq = e.seq
LEFT JOIN wanted AS w ON m.seq = w.seq
WHERE m.label <> '' AND w.seq IS NULL
    -- What staff decided stays on the list, where it can be decided anew.
    AND m.model <> 'staff'
ORDER BY seq
