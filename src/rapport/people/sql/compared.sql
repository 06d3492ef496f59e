-- grain: one row per row to be compared
-- needs: stated
-- gives: id, given, family, birth, email, local, is_common, phone, number, house, street, postcode, city, birth_place, gender, occupation
-- units: every text folded to one spelling, empty where nothing is said; birth as YYYYMMDD; phone as its last nine digits
-- given: stated(id BIGINT, given_name VARCHAR, family_name VARCHAR, name VARCHAR, birth_date VARCHAR, email VARCHAR, phone VARCHAR, number VARCHAR, house VARCHAR, street VARCHAR, postcode VARCHAR, city VARCHAR, birth_place VARCHAR, gender VARCHAR, occupation VARCHAR)
WITH plain AS (
    SELECT
        s.id,
        trim(regexp_replace(lower(strip_accents(s.given_name)), '[^\p{L}]+', ' ', 'g')) AS given,
        trim(regexp_replace(lower(strip_accents(s.family_name)), '[^\p{L}]+', ' ', 'g')) AS family,
        trim(regexp_replace(lower(strip_accents(s.name)), '[^\p{L},]+', ' ', 'g')) AS whole,
        trim(regexp_replace(s.birth_date, '[^0-9]+', '-', 'g'), '- ') AS day,
        lower(trim(s.email)) AS email,
        right(regexp_replace(s.phone, '[^0-9]', '', 'g'), 9) AS phone,
        upper(regexp_replace(s.number, '[^\p{L}0-9]', '', 'g')) AS number,
        lower(regexp_replace(s.house, '[^\p{L}0-9]', '', 'g')) AS house,
        trim(regexp_replace(lower(strip_accents(s.street)), '[^\p{L}0-9]+', ' ', 'g')) AS street,
        upper(regexp_replace(s.postcode, '[^\p{L}0-9]', '', 'g')) AS postcode,
        trim(regexp_replace(lower(strip_accents(s.city)), '[^\p{L}]+', ' ', 'g')) AS city,
        trim(regexp_replace(lower(strip_accents(s.birth_place)), '[^\p{L}]+', ' ', 'g')) AS birth_place,
        lower(trim(s.gender)) AS gender,
        trim(regexp_replace(lower(strip_accents(s.occupation)), '[^\p{L}]+', ' ', 'g')) AS occupation
    FROM stated AS s
),
-- A name in one piece: the family name stands before a comma, or else last.
split AS (
    SELECT
        p.* EXCLUDE (whole),
        CASE
            WHEN p.whole LIKE '%,%' THEN trim(split_part(p.whole, ',', 2))
            WHEN p.whole LIKE '% %' THEN regexp_replace(p.whole, ' [^ ]*$', '')
            ELSE p.whole
        END AS first_part,
        CASE
            WHEN p.whole LIKE '%,%' THEN trim(split_part(p.whole, ',', 1))
            WHEN p.whole LIKE '% %' THEN regexp_extract(p.whole, '[^ ]*$')
        END AS last_part
    FROM plain AS p
)
SELECT
    s.id,
    nullif(coalesce(nullif(s.given, ''), s.first_part), '') AS given,
    nullif(coalesce(nullif(s.family, ''), s.last_part), '') AS family,
    nullif(
        CASE
            WHEN regexp_matches(s.day, '^\d{4}-\d{1,2}-\d{1,2}')
                THEN split_part(s.day, '-', 1) || lpad(split_part(s.day, '-', 2), 2, '0') || lpad(split_part(s.day, '-', 3), 2, '0')
            WHEN regexp_matches(s.day, '^\d{1,2}-\d{1,2}-\d{4}')
                THEN left(split_part(s.day, '-', 3), 4) || lpad(split_part(s.day, '-', 2), 2, '0') || lpad(split_part(s.day, '-', 1), 2, '0')
            ELSE replace(s.day, '-', '')
        END,
        ''
    ) AS birth,
    CASE WHEN s.email LIKE '%_@_%' THEN s.email END AS email,
    -- The letters before the @: `ana.ruiz81@` and `anaruiz@` may be one person's.
    CASE
        WHEN s.email LIKE '%_@_%' AND length(regexp_replace(split_part(s.email, '@', 1), '[^\p{L}]', '', 'g')) >= 5
            THEN regexp_replace(split_part(s.email, '@', 1), '[^\p{L}]', '', 'g')
    END AS local,
    -- At a provider that many use, an address that is like another says what the name has said already.
    coalesce(
        s.email LIKE '%_@_%'
        AND count(*) OVER (PARTITION BY split_part(s.email, '@', 2)) >= greatest(20, 0.01 * count(s.email) OVER ()),
        false
    ) AS is_common,
    CASE WHEN length(s.phone) >= 6 THEN s.phone END AS phone,
    nullif(s.number, '') AS number,
    nullif(s.house, '') AS house,
    nullif(s.street, '') AS street,
    nullif(s.postcode, '') AS postcode,
    nullif(s.city, '') AS city,
    nullif(s.birth_place, '') AS birth_place,
    nullif(s.gender, '') AS gender,
    nullif(s.occupation, '') AS occupation
FROM split AS s
