"""Reporting: answers and studies as text and tables. Reads values; trains nothing, writes nothing to a store."""
