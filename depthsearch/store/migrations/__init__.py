"""The history of our tables, one file a revision."""
