-- grain: one row per person, kind, key and origin
-- needs: part_of
-- given: part_of(subject BIGINT, person BIGINT, kind VARCHAR, about VARCHAR, origin VARCHAR, n BIGINT, weight DOUBLE, moment DOUBLE, square DOUBLE, doubt DOUBLE, of_all DOUBLE, share DOUBLE, recent_weight DOUBLE, recent_moment DOUBLE)
-- gives: person, kind, about, origin, n, weight, moment, square, doubt, of_all, share, recent_weight, recent_moment
-- units: as of the parts, whose sums these are; share is the same in all of them
SELECT
    p.person,
    p.kind,
    p.about,
    p.origin,
    sum(p.n)::BIGINT AS n,
    sum(p.weight) AS weight,
    sum(p.moment) AS moment,
    sum(p.square) AS square,
    sum(p.doubt) AS doubt,
    sum(p.of_all) AS of_all,
    max(p.share) AS share,
    sum(p.recent_weight) AS recent_weight,
    sum(p.recent_moment) AS recent_moment
FROM part_of AS p
GROUP BY p.person, p.kind, p.about, p.origin
ORDER BY p.person, p.kind, p.about, p.origin
