"""What is served over HTTP. Imports store and core alone, and never what trains."""
