"""Publishes each product's newest state to the compacted topic `products-state`."""
