-- Add differences to the counts of brands, in the order of their names.
-- $1 brands, $2 drafts, $3 active, $4 archived
INSERT INTO views.category_view_brand AS counted (brand, draft, active, archived)
SELECT brand, draft, active, archived
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS difference(brand, draft, active, archived)
ORDER BY brand COLLATE "C"
ON CONFLICT (brand) DO UPDATE
SET draft = counted.draft + EXCLUDED.draft, active = counted.active + EXCLUDED.active,
    archived = counted.archived + EXCLUDED.archived
