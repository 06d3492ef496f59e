-- grain: one row per person who entered or left the segment
-- needs: moved, identity, subject
-- given: moved(person BIGINT, is_in BOOLEAN)
-- gives: id, name, ts, identifier, also, evidence, channel, venue, text, value_minor, currency, properties
-- units: ts is $as_of in UTC
-- The id follows from the refresh and the person, so what is recorded twice counts once; its time is in it
-- because a restored backup counts refreshes again. Of a person's
-- identifiers one is named that is theirs alone: a device may be in other hands tomorrow.
SELECT
    md5(concat_ws(chr(31), 'segments', $segment, $refresh, epoch_us($as_of), m.person))::UUID AS id,
    CASE WHEN any_value(m.is_in) THEN 'segment_entered' ELSE 'segment_left' END AS name,
    $as_of AS ts,
    arg_min(s.identifier, (list_position($namespaces, split_part(s.identifier, ':', 1)), s.subject)) AS identifier,
    NULL::VARCHAR[] AS also,
    NULL::VARCHAR AS evidence,
    NULL::VARCHAR AS channel,
    NULL::VARCHAR AS venue,
    NULL::VARCHAR AS text,
    NULL::BIGINT AS value_minor,
    NULL::VARCHAR AS currency,
    json_object('segment', $key, 'refresh', $refresh)::VARCHAR AS properties
FROM moved AS m
INNER JOIN identity AS i ON m.person = i.person
INNER JOIN subject AS s ON i.subject = s.subject
WHERE list_contains($namespaces, split_part(s.identifier, ':', 1))
GROUP BY m.person
