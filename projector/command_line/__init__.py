"""The projector's commands for operators: what each is told, and how its answer is printed."""
