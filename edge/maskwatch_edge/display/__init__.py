"""The picture on an attached screen: in a window, on the console, or nowhere."""
