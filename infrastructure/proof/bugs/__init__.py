"""The test of the proof: bugs planted in a copy of our code, each of which must be noticed."""
