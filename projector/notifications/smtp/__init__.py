"""Sends a mail by SMTP: one message, one attempt."""
