-- grain: one row per number asked for whose person ordered within the days after a moment
-- needs: event
-- given: asked(number BIGINT, subject BIGINT, since TIMESTAMPTZ)
-- given: core(subject BIGINT, core BIGINT)
-- gives: number
-- units: days
SELECT DISTINCT a.number
FROM asked AS a
INNER JOIN core AS mine ON a.subject = mine.subject
INNER JOIN core AS theirs ON mine.core = theirs.core
INNER JOIN event AS e ON theirs.subject = e.subject
WHERE
    e.name = 'order_placed'
    AND e.ts > a.since
    AND e.ts <= a.since + to_days($days::INTEGER)
    AND e.ts >= (SELECT min(b.since) FROM asked AS b)
