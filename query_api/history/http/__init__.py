"""The past of a product over HTTP."""
