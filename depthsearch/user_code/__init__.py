"""A user's code: found, hashed, loaded and called, without changes to it."""
