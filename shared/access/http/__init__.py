"""Access control of a port: which route needs which scope, and the answers to those who lack it."""
