"""The system on a real Kubernetes cluster, under load, while something is changed or broken: opt-in."""
