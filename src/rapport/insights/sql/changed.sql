-- grain: one row per person we know and score whose label became, or ceased to be, one that is told
-- needs: said, held, identity, subject
-- given: said(person BIGINT, name VARCHAR, label VARCHAR, value DOUBLE)
-- given: held(person BIGINT, name VARCHAR, label VARCHAR, as_of TIMESTAMPTZ)
-- gives: id, name, ts, identifier, also, evidence, channel, venue, text, value_minor, currency, properties
-- units: ts is $as_of in UTC
-- The id follows from what was held before, so that a run cut short and done again tells a change once. Of a person's
-- identifiers one is named that is theirs alone: a device may be in other hands tomorrow.
WITH moved AS (
    SELECT
        s.person,
        s.name,
        coalesce(h.label, '') AS before,
        s.label AS after,
        s.value,
        coalesce(epoch_us(h.as_of), 0) AS held_us
    FROM said AS s
    LEFT JOIN held AS h ON s.person = h.person AND s.name = h.name
    WHERE coalesce(h.label, '') <> s.label
        AND (list_contains($labels, s.label) OR list_contains($labels, coalesce(h.label, '')))
)
SELECT
    md5(concat_ws(chr(31), 'insights', m.name, m.person, m.held_us, m.after))::UUID AS id,
    $event AS name,
    $as_of AS ts,
    arg_min(d.identifier, (list_position($namespaces, split_part(d.identifier, ':', 1)), d.subject)) AS identifier,
    NULL::VARCHAR[] AS also,
    NULL::VARCHAR AS evidence,
    NULL::VARCHAR AS channel,
    NULL::VARCHAR AS venue,
    NULL::VARCHAR AS text,
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    json_object(
        'network', CASE WHEN contains(m.name, ':') THEN split_part(m.name, ':', 2) ELSE '' END,
        'from', m.before, 'to', m.after, 'standing', round(any_value(m.value), 3)
    )::VARCHAR AS properties
FROM moved AS m
INNER JOIN identity AS i ON m.person = i.person
INNER JOIN subject AS d ON i.subject = d.subject
WHERE list_contains($namespaces, split_part(d.identifier, ':', 1))
GROUP BY m.person, m.name, m.before, m.after, m.held_us
