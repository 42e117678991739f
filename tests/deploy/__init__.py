"""What is delivered, checked without an engine or a cluster: Dockerfiles, docker-compose.yml, manifests.

Each policy is a function from manifests to complaints. One test holds it against what we ship (no complaint),
another against a copy with a fault put in (a complaint): a policy that cannot complain is worth nothing.
"""
