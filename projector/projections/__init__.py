"""Pure folds: what a reader sees, made from what has happened. No input or output, no clock."""
