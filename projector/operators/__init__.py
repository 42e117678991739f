"""What operators call: the command line, the HTTP port, the status."""
