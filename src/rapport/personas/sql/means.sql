-- grain: one row per persona, figure and unit
-- needs: score
-- gives: key, name, unit, n, value, spread, everybody, spread_all
-- units: means and standard deviations over the people who have the figure; figures of the input in their own unit,
--   scores in theirs
-- given: input(person BIGINT, age_years DOUBLE, orders_year DOUBLE, price_level DOUBLE, pieces DOUBLE, refund_share DOUBLE, views_year DOUBLE, says_year DOUBLE, writes_year DOUBLE)
-- given: member(person BIGINT, key VARCHAR, fit DOUBLE)
WITH figure AS (
    UNPIVOT (
        SELECT
            i.person, i.age_years, i.orders_year, i.price_level, i.pieces, i.refund_share, i.views_year, i.says_year,
            i.writes_year
        FROM input AS i
    ) ON age_years, orders_year, price_level, pieces, refund_share, views_year, says_year, writes_year
    INTO NAME name VALUE value
),
everything AS (
    SELECT f.person, f.name, '' AS unit, f.value
    FROM figure AS f
    UNION ALL
    SELECT s.person, s.name, s.unit, s.value
    FROM score AS s
    WHERE s.name IN ('clv_minor', 'churn_risk', 'advocacy') OR s.name LIKE 'interest:%' OR s.name LIKE 'attitude:%'
),
of_all AS (
    SELECT e.name, e.unit, avg(e.value) AS everybody, coalesce(stddev_samp(e.value), 0) AS spread_all
    FROM everything AS e
    INNER JOIN member AS m ON e.person = m.person
    GROUP BY e.name, e.unit
)
SELECT
    m.key,
    e.name,
    e.unit,
    count(*) AS n,
    avg(e.value) AS value,
    coalesce(stddev_samp(e.value), 0) AS spread,
    any_value(a.everybody) AS everybody,
    any_value(a.spread_all) AS spread_all
FROM everything AS e
INNER JOIN member AS m ON e.person = m.person
INNER JOIN of_all AS a ON e.name = a.name AND e.unit = a.unit
GROUP BY m.key, e.name, e.unit
ORDER BY m.key, e.name, e.unit
