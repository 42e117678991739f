"""HTTP for all capabilities: the application, problem documents, parameters, and what routes share."""
