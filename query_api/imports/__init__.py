"""What imports have done: as their importers reported it."""
