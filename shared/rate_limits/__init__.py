"""Rate limits: how many requests a caller, or an address, may make, counted for all processes together."""
