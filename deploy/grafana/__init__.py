"""Boards for Grafana: written down shortly in `boards/`, and generated from there as `dashboards/*.json`."""
