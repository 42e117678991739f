"""HTTP for all capabilities: the application, problem documents, parameters, shared parts of routes."""
