-- grain: one row per month of first order whose people have all had time to order again
-- needs: subject_day, identity
-- gives: cohort, n, n_again
-- units: n and n_again in people; again means on a later day within $horizon_days
WITH bought AS (
    SELECT DISTINCT
        i.person,
        d.day
    FROM subject_day AS d
    INNER JOIN identity AS i ON d.subject = i.subject
    WHERE d.name = 'order_placed' AND d.dimension = ''
),
begun AS (
    SELECT
        b.person,
        b.day,
        min(b.day) OVER (PARTITION BY b.person) AS first_day
    FROM bought AS b
),
person AS (
    SELECT
        b.person,
        b.first_day,
        count(*) FILTER (b.day > b.first_day AND b.day <= b.first_day + $horizon_days::INTEGER) > 0 AS is_again
    FROM begun AS b
    GROUP BY b.person, b.first_day
)
SELECT
    date_trunc('month', p.first_day)::DATE AS cohort,
    count(*) AS n,
    count(*) FILTER (p.is_again) AS n_again
FROM person AS p
GROUP BY cohort
HAVING max(p.first_day) + $horizon_days::INTEGER <= $last_day::DATE
    AND cohort >= $first_day::DATE
ORDER BY cohort
