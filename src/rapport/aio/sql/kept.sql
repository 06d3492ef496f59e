-- grain: one row per subject, kind, key and origin of what is stated of its person, with what shows it
-- needs: part_of, chosen, mention, act
-- given: part_of(subject BIGINT, person BIGINT, kind VARCHAR, about VARCHAR, origin VARCHAR, n BIGINT, weight DOUBLE, moment DOUBLE, square DOUBLE, doubt DOUBLE, of_all DOUBLE, share DOUBLE, recent_weight DOUBLE, recent_moment DOUBLE)
-- given: chosen(person BIGINT, kind VARCHAR, about VARCHAR, origin VARCHAR, value DOUBLE)
-- given: mention(seq BIGINT, subject BIGINT, person BIGINT, ts TIMESTAMPTZ, place VARCHAR, kind VARCHAR, about VARCHAR, how VARCHAR, stance DOUBLE, doubt DOUBLE, quote VARCHAR)
-- given: act(seq BIGINT, subject BIGINT, person BIGINT, topic VARCHAR, title VARCHAR, how VARCHAR, ts TIMESTAMPTZ, place VARCHAR, quote VARCHAR)
-- gives: subject, kind, about, origin, n, weight, moment, square, doubt, of_all, share, recent_weight, recent_moment, evidence
-- units: evidence is JSON, $most at most: of a stance those that agree with it, the plainest and newest first; of an
-- interest one of each way first, then the newest
WITH shows AS (
    SELECT
        m.subject,
        m.kind,
        m.about,
        c.origin,
        m.seq,
        m.ts,
        m.place,
        m.how,
        m.quote,
        row_number() OVER (
            PARTITION BY m.subject, m.kind, m.about, c.origin
            ORDER BY round(abs(m.stance), 1) DESC, m.ts DESC, m.seq DESC
        ) AS place_in_list
    FROM mention AS m
    INNER JOIN chosen AS c
        ON c.person = m.person AND c.kind = m.kind AND c.about = m.about
            AND c.origin = CASE m.how WHEN 'said' THEN 'inferred' ELSE 'declared' END
    WHERE m.stance * c.value > 0 OR m.how <> 'said'
),
ways AS (
    SELECT
        a.*,
        row_number() OVER (PARTITION BY a.subject, a.topic, a.how ORDER BY a.ts DESC, a.seq DESC) AS nth_of_way
    FROM act AS a
    INNER JOIN chosen AS c ON c.person = a.person AND c.kind = 'interest' AND c.about = a.topic AND c.origin = 'observed'
    WHERE a.quote IS NOT NULL AND a.quote <> ''
    QUALIFY row_number() OVER (PARTITION BY a.subject, a.topic, a.how, a.quote ORDER BY a.ts DESC, a.seq DESC) = 1
),
turned AS (
    SELECT
        w.subject,
        'interest' AS kind,
        w.topic AS about,
        'observed' AS origin,
        w.seq,
        w.ts,
        w.place,
        w.how,
        w.quote,
        row_number() OVER (
            PARTITION BY w.subject, w.topic
            ORDER BY w.nth_of_way, CASE w.how WHEN 'said' THEN 1 WHEN 'read' THEN 2 ELSE 0 END, w.ts DESC, w.seq DESC
        ) AS place_in_list
    FROM ways AS w
),
every AS (
    SELECT * FROM shows AS s WHERE s.place_in_list <= $most
    UNION ALL
    SELECT * FROM turned AS t WHERE t.place_in_list <= $most
),
listed AS (
    SELECT
        e.subject,
        e.kind,
        e.about,
        e.origin,
        to_json(list({
            'seq': e.seq,
            'at': strftime(e.ts, '%Y-%m-%dT%H:%M:%SZ'),
            'quote': CASE WHEN length(e.quote) > $chars THEN concat(rtrim(substr(e.quote, 1, $chars - 1)), '…') ELSE e.quote END,
            'source': coalesce(e.place, ''),
            'how': e.how
        } ORDER BY e.place_in_list))::VARCHAR AS evidence
    FROM every AS e
    GROUP BY e.subject, e.kind, e.about, e.origin
)
SELECT
    p.subject,
    p.kind,
    p.about,
    p.origin,
    p.n,
    p.weight,
    p.moment,
    p.square,
    p.doubt,
    p.of_all,
    p.share,
    p.recent_weight,
    p.recent_moment,
    coalesce(l.evidence, '[]') AS evidence
FROM part_of AS p
INNER JOIN chosen AS c
    ON c.person = p.person AND c.kind = p.kind AND c.about = p.about AND c.origin = p.origin
LEFT JOIN listed AS l
    ON l.subject = p.subject AND l.kind = p.kind AND l.about = p.about AND l.origin = p.origin
ORDER BY p.subject, p.kind, p.about, p.origin
