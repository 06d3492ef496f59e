-- grain: one row per subject whose owner spoke about measuring elsewhere than on a banner, with the last word
-- needs: event
-- gives: subject, is_withdrawn
-- units: none
SELECT
    e.subject,
    arg_max(e.name <> 'consent_granted', (e.ts, e.seq)) AS is_withdrawn
FROM event AS e
WHERE json_extract_string(e.properties, '$.purpose') = $purpose
    AND coalesce(json_extract_string(e.properties, '$.how'), '') <> 'banner'
GROUP BY e.subject
