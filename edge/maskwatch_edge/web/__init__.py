"""The live page, the same as data for programs, and metrics: an output served over HTTP."""
