-- grain: one row per wanted person: the identifiers by which the firm knows them
-- needs: wanted, identity, subject
-- given: wanted(person BIGINT)
-- gives: person, identifiers
-- units: none
SELECT w.person, list_sort(list(s.identifier)) AS identifiers
FROM wanted AS w
INNER JOIN identity AS i ON w.person = i.person
INNER JOIN subject AS s ON i.subject = s.subject
WHERE list_contains($namespaces, split_part(s.identifier, ':', 1))
GROUP BY w.person
