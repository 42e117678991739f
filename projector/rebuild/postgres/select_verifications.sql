-- What is known of each view: its differences, and since when it has not been verified as a whole. The differences of a
-- sample count until a verification of the whole view begins after it. A view that was never verified as a whole counts from
-- the time when the read model could first store a result.
-- $1 projections
SELECT wanted.projection,
       greatest(whole.differences, CASE WHEN sample.ended_at <= whole.started_at THEN NULL ELSE sample.differences END)
           AS differences,
       coalesce(whole.ended_at, (SELECT applied_at FROM public.schema_migrations
                                 WHERE name = '0010_before_deploy_verifications')) AS unverified_since
FROM unnest($1::text[]) AS wanted(projection)
LEFT JOIN views.verification AS whole ON whole.projection = wanted.projection AND NOT whole.is_sample
LEFT JOIN views.verification AS sample ON sample.projection = wanted.projection AND sample.is_sample
