-- Which log it is, how far it goes, and the last position of it that is archived and removed. One row.
SELECT log.log_id,
       coalesce((SELECT max(position) FROM catalogue.events), 0) AS newest_position,
       coalesce((SELECT max(upper_position) - 1 FROM catalogue.archived_partitions WHERE removing_at IS NOT NULL), 0) AS removed_position
FROM catalogue.event_log AS log
