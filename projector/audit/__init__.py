"""The audit log: which operator did what, when, why, and with which result."""
