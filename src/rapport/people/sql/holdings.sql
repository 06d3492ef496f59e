-- grain: one row per device and time at which it passes into other hands
-- needs: claim, shared, held
-- gives: device, from_ts, holder
-- units: from_ts in UTC
-- given: shared(device BIGINT)
-- given: held(holder BIGINT)
WITH said AS (
    SELECT c.a AS device, c.b AS holder, c.ts, c.seq
    FROM claim AS c
    SEMI JOIN shared AS s ON c.a = s.device
    SEMI JOIN held AS h ON c.b = h.holder
    UNION ALL
    SELECT c.b AS device, c.a AS holder, c.ts, c.seq
    FROM claim AS c
    SEMI JOIN shared AS s ON c.b = s.device
    SEMI JOIN held AS h ON c.a = h.holder
),
-- Two at one instant: the one that was recorded last.
at_once AS (
    SELECT s.device, s.ts, arg_max(s.holder, (s.seq, s.holder)) AS holder FROM said AS s GROUP BY s.device, s.ts
)
SELECT o.device, o.ts AS from_ts, o.holder
FROM at_once AS o
QUALIFY o.holder IS DISTINCT FROM lag(o.holder) OVER (PARTITION BY o.device ORDER BY o.ts)
ORDER BY o.device, from_ts
