"""Dead letters: how an event is parked with its product, shown, retried and discarded."""
