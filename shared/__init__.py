"""Code that the processes share: the published language (contract), and technical code used by several."""
