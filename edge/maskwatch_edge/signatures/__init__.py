"""Who made a file: Ed25519 signatures beside models and programs, checked before they are read."""
