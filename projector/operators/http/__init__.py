"""The operations port: operators' commands over HTTP."""
