"""Mails, and the conversation with the server that takes them; the only aiosmtplib code of the projector."""
