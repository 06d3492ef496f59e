-- grain: one row per subject that ordered since a day
-- needs: subject_day
-- gives: subject
-- units: none
SELECT DISTINCT d.subject
FROM subject_day AS d
WHERE d.name = 'order_placed' AND d.day >= $since::DATE
