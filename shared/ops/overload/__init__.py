"""Overload: refuses requests by the time that they wait, before they do; what is admitted stays fast."""
