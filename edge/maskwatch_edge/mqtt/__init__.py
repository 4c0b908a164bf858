"""Telling an MQTT broker what happens.

Start reading with `output`, which puts the parts together. `reporter` makes messages of views,
`backlog` keeps them on the disk until the broker has them, `courier` carries them from there to
`link`, the connection, and `publisher` is the thread in which all that happens. `home_assistant`
describes it to Home Assistant.
"""
