-- Deletes categories without products in or below them. The batch has locked their rows already.
-- $1 paths
DELETE FROM views.category_view_category
WHERE path = ANY ($1::text[]) AND subtree_draft = 0 AND subtree_active = 0 AND subtree_archived = 0
