"""MiniStack with the few shims that make it behave as AWS where this project relies on it.

Runs under `.local/emulator`'s interpreter (`python -m infrastructure.local.emulator`) and knows
nothing of the rest of the project. Everything here touches private names of MiniStack, so the exact
version is asserted at start; each shim says which behaviour of AWS it restores.
"""
