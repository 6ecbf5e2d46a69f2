"""One verb a file: load, decide, commit, hand over the effects."""
