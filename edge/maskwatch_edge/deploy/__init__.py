"""`maskwatch deploy`: from the workstation to a running service on a board."""
