"""`make prove`: our own code under every fault, and bugs planted in it that must be noticed."""
