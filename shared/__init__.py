"""What the processes share: the published language (contract) and the plumbing two of them would write twice."""
