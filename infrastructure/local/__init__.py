"""The embedded AWS, the local Stripe and the story, for local runs and tests only."""
