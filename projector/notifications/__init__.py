"""Which events send e-mail, to whom, and how each mail is sent at most once."""
