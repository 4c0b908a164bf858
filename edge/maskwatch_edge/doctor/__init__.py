"""`maskwatch doctor`: is everything there that Maskwatch needs, and what mends what is not?"""
