-- grain: one row per subject that asks
-- needs: asking, stored
-- given: asking(subject BIGINT, core BIGINT)
-- given: stored(subject BIGINT, is_held_out BOOLEAN, assigned_us BIGINT)
-- gives: subject, core, is_held_out, is_new
-- units: share_ratio in [0, 1]; assigned_us microseconds since 1970
-- A core takes the earliest assignment that any of its subjects has, so merging two people changes neither
-- stored row and picks the same one every time. Where no subject has one, the draw is the first 52 bits of a
-- keyed hash over experiment and core, as a ratio; nobody can work it out without the installation's key.
WITH settled AS (
    SELECT a.core, arg_min(s.is_held_out, (s.assigned_us, s.subject)) AS is_held_out
    FROM asking a JOIN stored s USING (subject)
    GROUP BY a.core
),
drawn AS (
    SELECT
        a.subject,
        a.core,
        ('0x' || substr(sha256($key || sha256($key || chr(31) || $experiment || chr(31) || a.core)), 1, 13))::BIGINT
            / 4503599627370496.0 < $share_ratio AS is_held_out
    FROM asking a
)
SELECT d.subject, d.core, coalesce(s.is_held_out, d.is_held_out) AS is_held_out, t.subject IS NULL AS is_new
FROM drawn d
LEFT JOIN settled s USING (core)
LEFT JOIN stored t USING (subject)
ORDER BY d.subject
