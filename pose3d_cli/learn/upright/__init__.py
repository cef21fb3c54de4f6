"""How well up and the floor are found: generated cameras, and what is measured with them."""
