-- grain: one row per event whose words were taken back or changed after it
-- needs: event, taken_back
-- given: taken_back(network VARCHAR, post_id VARCHAR, upto_seq BIGINT)
-- gives: seq
-- units: none
SELECT e.seq
FROM lake.event AS e
INNER JOIN taken_back AS t
    ON (e.properties ->> '$.post_id') = t.post_id AND (e.properties ->> '$.network') = t.network
WHERE
    list_contains($names, e.name)
    AND e.seq < t.upto_seq
    AND NOT coalesce((e.properties ->> '$.withdrawn') = 'true', FALSE)
    AND e.name NOT IN ('post_deleted', 'reaction_given')
ORDER BY e.seq
