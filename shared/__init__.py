"""What the processes share: the published language (contract), and plumbing that two would write twice."""
