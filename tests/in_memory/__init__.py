"""Fakes of the projector's ports, one module a capability; each passes the suite of the real adapter."""
