-- grain: one row
-- needs: receipt
-- gives: first_seq, the number of the first event loaded since then; empty where nothing was
-- units: $since in UTC
SELECT min(r.first_seq) AS first_seq
FROM receipt AS r
WHERE r.loaded_at >= $since
