"""What runs on the workstation: read data sets, train the mask model, report on it."""
