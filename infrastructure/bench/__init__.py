"""`make bench-quote`: what a decision costs; never part of the layer."""
