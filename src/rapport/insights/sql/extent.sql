-- grain: one row: what the log holds
-- needs: event
-- gives: first_seq, last_seq, first_ts, last_ts, n
-- units: n in events; all NULL but n where there is none
SELECT
    min(e.seq) AS first_seq,
    max(e.seq) AS last_seq,
    min(e.ts) AS first_ts,
    max(e.ts) AS last_ts,
    count(*) AS n
FROM event AS e
