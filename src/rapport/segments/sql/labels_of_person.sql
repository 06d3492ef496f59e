-- grain: one row per name, label and day on which a model gave the person's texts that label
-- needs: annotated_day
-- given: annotated_day(name VARCHAR, label VARCHAR, day DATE, person BIGINT, n BIGINT)
-- gives: name, label, day, n
-- units: n in texts; days in UTC
SELECT name, label, day, sum(n)::BIGINT AS n
FROM annotated_day
WHERE person = $person AND list_contains($names, name)
GROUP BY name, label, day
ORDER BY name, label, day
