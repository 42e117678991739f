"""The console in Chromium, with a whole installation behind it."""
