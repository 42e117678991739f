"""The console: pages for people, made of static files that use the public API and nothing else."""
