"""Between a running projector and its operators: pause and resume, lag, counts of dead letters."""
