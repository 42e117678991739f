"""What every process does alike: settings, logs, metrics, tracing, health, retries, start and stop."""
