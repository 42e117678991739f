"""Reports over HTTP: routes, parameters and answers."""
