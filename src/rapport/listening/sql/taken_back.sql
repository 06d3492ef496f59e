-- grain: one row per post that was taken back or changed
-- needs: taken_back
-- given: taken_back(seq BIGINT, received_at TIMESTAMPTZ, properties JSON)
-- gives: network, post_id, seq, told_at
-- units: told_at in UTC
SELECT
    t.properties ->> '$.network' AS network,
    t.properties ->> '$.post_id' AS post_id,
    max(t.seq) AS seq,
    min(t.received_at) AS told_at
FROM taken_back AS t
WHERE (t.properties ->> '$.network') IS NOT NULL AND (t.properties ->> '$.post_id') IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2
