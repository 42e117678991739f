-- A hint without content; a reader that is not connected misses it, and polls.
NOTIFY catalogue_appended
