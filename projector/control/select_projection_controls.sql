-- What operators want of every projection.
SELECT projection, is_paused, revision, reason FROM views.projection_control
