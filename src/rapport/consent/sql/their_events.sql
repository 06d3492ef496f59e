-- grain: one row per event of the given subjects, newest first
-- needs: event
-- gives: at, name, origin, channel, venue, text, value_minor, currency, properties
-- units: times in UTC; value_minor in minor units of currency
SELECT
    e.ts AS "at",
    e.name,
    e.source AS origin,
    e.channel,
    e.venue,
    e."text",
    e.value_minor,
    e.currency,
    nullif(e.properties::VARCHAR, '{}') AS properties
FROM event AS e
WHERE list_contains($subjects, e.subject)
ORDER BY e.ts DESC, e.seq DESC
