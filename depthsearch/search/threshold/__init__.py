"""Bayesian threshold search: a posterior over curves, which depth tells most, when to stop."""
