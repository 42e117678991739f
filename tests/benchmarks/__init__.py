"""Speed, as ratios between contenders that run side by side in one run. Never part of `make test`."""
