"""`make clauses`: every obligation with what proves it; never part of the layer."""
