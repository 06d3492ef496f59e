-- grain: one row per person of a page: the identifiers by which the firm knows them
-- needs: page_of, identity, subject
-- given: page_of(person BIGINT)
-- gives: person, identifiers
-- units: none
SELECT p.person, list_sort(list(s.identifier)) AS identifiers
FROM page_of AS p
INNER JOIN identity AS i ON p.person = i.person
INNER JOIN subject AS s ON i.subject = s.subject
WHERE list_contains($namespaces, split_part(s.identifier, ':', 1))
GROUP BY p.person
