"""Code that every process uses: settings, logs, metrics, tracing, health, retries, start and stop."""
