"""What clients meet first: TLS, hosts and methods. nginx runs with what the rendered objects say, not a copy.

`configuration.py` does for an Ingress or an HTTPRoute what its controller does in a cluster.
"""
