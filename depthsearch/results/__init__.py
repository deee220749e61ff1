"""What workflows return, as plain values."""
