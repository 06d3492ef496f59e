-- grain: one row per trait
-- needs: believed
-- given: believed(person BIGINT, name VARCHAR, value VARCHAR)
-- gives: name, n, n_number, n_boolean, n_date
-- units: persons of whom the trait is known, and whose value reads as a number, a yes or no, a day
SELECT
    b.name,
    count(*) AS n,
    -- A leading zero or plus belongs to a code, and a code is no number.
    count(*) FILTER (WHERE regexp_full_match(b.value, '-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE]-?[0-9]{1,2})?')) AS n_number,
    count(*) FILTER (WHERE lower(b.value) IN ('true', 'false')) AS n_boolean,
    count(*) FILTER (
        WHERE regexp_full_match(b.value, '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?') AND try_cast(left(b.value, 10) AS DATE) IS NOT NULL
    ) AS n_date
FROM believed AS b
GROUP BY b.name
ORDER BY n DESC, b.name
