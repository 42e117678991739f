-- A hint without content; whoever is away misses it and polls.
NOTIFY catalogue_appended
