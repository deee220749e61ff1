"""The command line: one file per command. It parses, calls, prints, and decides nothing."""
