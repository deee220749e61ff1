"""Plain values that every room shares: what is asked, what was recorded, what was found.

Imports nothing of depthsearch outside this folder, and neither torch nor optuna.
"""
