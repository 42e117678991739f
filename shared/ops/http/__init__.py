"""HTTP without a framework: the server, problem documents, and the operations port."""
