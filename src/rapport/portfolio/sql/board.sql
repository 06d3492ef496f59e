-- grain: one row per person with a service tier who may be profiled by at least one identifier, ascending
-- needs: score, identity
-- gives: person, currency, worth_minor, cost_minor, potential_minor, saving_minor, saving_low, saving_high, tier, as_of
-- units: money in minor units of the currency named; saving_ per minute of answering
-- given: refused(subject BIGINT)
SELECT
    s.person,
    trim(replace(any_value(s.unit) FILTER (WHERE s.name = 'service_tier'), 'minor', '')) AS currency,
    sum(s.value) FILTER (WHERE s.name IN ('service_tier', 'cost_to_serve_minor')) AS worth_minor,
    coalesce(sum(s.value) FILTER (WHERE s.name = 'cost_to_serve_minor'), 0) AS cost_minor,
    coalesce(sum(s.value) FILTER (WHERE s.name = 'potential_minor'), 0) AS potential_minor,
    coalesce(sum(s.value) FILTER (WHERE s.name = 'effort_saving_minor'), 0) AS saving_minor,
    coalesce(sum(s.low) FILTER (WHERE s.name = 'effort_saving_minor'), 0) AS saving_low,
    coalesce(sum(s.high) FILTER (WHERE s.name = 'effort_saving_minor'), 0) AS saving_high,
    any_value(s.label) FILTER (WHERE s.name = 'service_tier') AS tier,
    max(s.as_of) AS as_of
FROM score AS s
WHERE s.person IN (
    SELECT i.person FROM identity AS i WHERE i.subject NOT IN (SELECT r.subject FROM refused AS r)
)
GROUP BY s.person
HAVING count(*) FILTER (WHERE s.name = 'service_tier') > 0
ORDER BY s.person
