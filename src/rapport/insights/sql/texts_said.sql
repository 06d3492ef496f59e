-- grain: one row per text of which something is said under a name, the newest first, or the least sure first
-- needs: event, annotation, refused, chosen
-- gives: seq, subject, ts, text, name, source, channel, venue, properties, probability
-- units: ts in UTC; probability of the label, 0 to 1; what staff said themselves is never unsure
-- given: refused(subject BIGINT)
-- given: chosen(seq BIGINT)
WITH newest AS (
    SELECT
        a.seq,
        arg_max(a.ts, a.run) AS ts,
        arg_max(a.probability, a.run) AS probability
    FROM annotation AS a
    WHERE a.name = $name
        AND a.ts >= $since::TIMESTAMPTZ AND a.ts < $until::TIMESTAMPTZ
        AND (NOT $only_chosen OR a.seq IN (SELECT c.seq FROM chosen AS c))
        AND a.subject NOT IN (SELECT r.subject FROM refused AS r)
    GROUP BY a.seq
    HAVING arg_max(a.label, a.run) <> ''
        AND ($label IS NULL OR arg_max(a.label, a.run) = $label)
        AND (NOT $is_unsure_first OR arg_max(a.model, a.run) <> $staff)
)
SELECT
    e.seq,
    e.subject,
    e.ts,
    e."text" AS "text",
    e.name,
    e.source,
    e.channel,
    e.venue,
    e.properties,
    coalesce(n.probability, 1) AS probability
FROM newest AS n
INNER JOIN event AS e ON n.seq = e.seq
WHERE e.ts >= $since::TIMESTAMPTZ AND e.ts < $until::TIMESTAMPTZ
    AND e."text" IS NOT NULL
    AND ($venue IS NULL OR coalesce(e.venue, '') = $venue OR ($venue <> '' AND starts_with(e.venue, $venue || '/')))
    AND (
        CASE
            WHEN $before_seq IS NULL THEN TRUE
            WHEN $is_unsure_first THEN (coalesce(n.probability, 1), -e.seq) > ($before_probability, -$before_seq)
            ELSE (e.ts, e.seq) < ($before_ts, $before_seq)
        END
    )
ORDER BY CASE WHEN $is_unsure_first THEN coalesce(n.probability, 1) END, CASE WHEN $is_unsure_first THEN e.seq END DESC,
    e.ts DESC, e.seq DESC
LIMIT $most
