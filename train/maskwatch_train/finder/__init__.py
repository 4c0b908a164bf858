"""Training of the face finder: `maskwatch train-finder`."""
