"""Compiled kernels for the small dense networks that most searches train, on CPU."""
