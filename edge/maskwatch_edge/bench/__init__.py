"""`maskwatch bench`: how fast this machine watches, and what of it takes the time."""
