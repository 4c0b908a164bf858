"""Where frames come from: cameras, streams and files, and the thread that reads a camera."""
