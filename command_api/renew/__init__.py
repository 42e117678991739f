"""`renew-log-id`: a log that was restored and lost events becomes another log."""
