-- grain: one row per identifier first seen in the batch
-- needs: subject
-- gives: subject, namespace, value, first_seq
-- units: first_seq is the number of the first event that named it
SELECT
    f.subject,
    split_part(f.identifier, ':', 1) AS namespace,
    substr(f.identifier, strpos(f.identifier, ':') + 1) AS value,
    f.first_seq
FROM subject AS f
-- Neighbours of the indexes over the text are written together.
ORDER BY namespace, value
