-- Add differences to the counts of categories, in the order of their paths, so that two batches never deadlock on each
-- other.
-- $1 paths, $2 depths, $3 drafts, $4 active, $5 archived, $6 to $8 the same for the subtree
INSERT INTO views.category_view_category AS counted (
    path, depth, draft, active, archived, subtree_draft, subtree_active, subtree_archived
)
SELECT path, depth, draft, active, archived, subtree_draft, subtree_active, subtree_archived
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
    AS difference(path, depth, draft, active, archived, subtree_draft, subtree_active, subtree_archived)
ORDER BY path COLLATE "C"
ON CONFLICT (path) DO UPDATE
SET draft = counted.draft + EXCLUDED.draft, active = counted.active + EXCLUDED.active,
    archived = counted.archived + EXCLUDED.archived,
    subtree_draft = counted.subtree_draft + EXCLUDED.subtree_draft,
    subtree_active = counted.subtree_active + EXCLUDED.subtree_active,
    subtree_archived = counted.subtree_archived + EXCLUDED.subtree_archived
