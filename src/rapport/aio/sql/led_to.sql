-- grain: one row per search after which its person turned to a topic at once
-- needs: search, act
-- given: search(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR, plain VARCHAR)
-- given: act(seq BIGINT, subject BIGINT, person BIGINT, topic VARCHAR, title VARCHAR, how VARCHAR, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR)
-- given: category(topic VARCHAR)
-- gives: seq, topic
-- units: within $within_s seconds
SELECT
    s.seq,
    arg_min(a.topic, (a.ts, a.seq)) AS topic
FROM search AS s
INNER JOIN act AS a ON a.subject = s.subject AND a.ts >= s.ts AND a.ts <= s.ts + to_seconds($within_s)
WHERE a.topic IN (SELECT c.topic FROM category AS c)
GROUP BY s.seq
