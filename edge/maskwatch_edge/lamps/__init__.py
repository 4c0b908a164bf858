"""Lamps that tell what Maskwatch sees, and the GPIO lines that drive them."""
