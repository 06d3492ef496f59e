-- grain: one row per row whose content came before, in this chunk or an earlier one
-- needs: typed_row, content_seen
-- gives: line, n (rows with this content before it)
-- units: n in rows
-- given: typed_row(line BIGINT, content VARCHAR)
-- given: content_seen(content VARCHAR, n BIGINT)
WITH repeated AS (
    SELECT t.content
    FROM typed_row AS t
    GROUP BY t.content
    HAVING count(*) > 1
    UNION
    SELECT c.content
    FROM content_seen AS c
),
before AS (
    SELECT
        c.content,
        sum(c.n)::BIGINT AS n
    FROM content_seen AS c
    GROUP BY c.content
)
SELECT
    t.line,
    row_number() OVER (PARTITION BY t.content ORDER BY t.line) - 1 + coalesce(b.n, 0) AS n
FROM typed_row AS t
SEMI JOIN repeated AS r ON t.content = r.content
LEFT JOIN before AS b ON t.content = b.content
