"""`maskwatch evaluate`: a model on labelled faces, or finders and model on annotated frames."""
