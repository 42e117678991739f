"""Webhook endpoints: who wants to get which events by HTTP. The projector delivers them."""
