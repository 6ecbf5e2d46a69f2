"""What people may ask of their data, and what follows: one verb a file."""
