"""Old code runs on the new schema: the last release, checked out and tested on the present migrations."""
