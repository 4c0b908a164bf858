"""The licences of all that Maskwatch is made of: packages, and models and pictures."""
