"""One outside thing a file, translated at the boundary."""
