"""Redis Cluster: keys go to the node that has their slot, and follow the slot when it moves.

redis-py's own cluster client is not used. Its log-in and its TLS cannot be ours, it waits 250 ms after some
errors, and sends ASKING over another connection than the command that it is for.
"""
