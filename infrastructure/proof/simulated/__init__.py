"""The world in one process: table, Stripe, queues, clock, workers that die; all from one seed."""
