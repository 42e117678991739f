-- How old the newest lag report is on the server that answers: projectors write one a second, also when nothing happens.
-- NULL without any.
SELECT extract(epoch FROM clock_timestamp() - max(measured_at))::float8 FROM views.projection_lag
