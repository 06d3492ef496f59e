-- grain: one row: what became of one batch
-- needs: receipt
-- gives: n_read, n_accepted, n_duplicate, n_quarantined, n_left_out, first_seq, last_seq
-- units: rows
SELECT
    coalesce(sum(r.n_read), 0)::BIGINT AS n_read,
    coalesce(sum(r.n_accepted), 0)::BIGINT AS n_accepted,
    coalesce(sum(r.n_duplicate), 0)::BIGINT AS n_duplicate,
    coalesce(sum(r.n_quarantined), 0)::BIGINT AS n_quarantined,
    coalesce(sum(r.n_left_out), 0)::BIGINT AS n_left_out,
    min(r.first_seq) AS first_seq,
    max(r.last_seq) AS last_seq
FROM receipt AS r
WHERE r.batch = $batch
