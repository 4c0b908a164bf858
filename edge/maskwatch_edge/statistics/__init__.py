"""Counts of people by what was said of them, minute by minute; no pictures.

`Tally` in `counting.py` decides what is counted, and is where to begin. `Recorder` is the output
that the loop tells, `store.py` the file, and `command.py` what `maskwatch stats` makes of it.
"""
