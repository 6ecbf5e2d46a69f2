"""The `fairexit` command; never part of the layer."""
