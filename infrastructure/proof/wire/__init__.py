"""Real adapters over real sockets: embedded AWS and local Stripe, threads, cuts, kills."""
