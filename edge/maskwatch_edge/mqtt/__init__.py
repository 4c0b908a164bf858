"""Telling an MQTT broker what happens.

Start reading with `output`: it puts the parts together. `reporter` makes messages of views,
`backlog` keeps them on the disk until the broker has them, `publisher` is the thread that works
between the two, and `link` is the connection. `home_assistant` describes it all to Home Assistant.
"""
