"""What the stack needs beside code: local runs, the command line, schemas."""
