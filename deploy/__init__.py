"""How the system is started: without containers (local), with them (kustomize), and what watches it."""
