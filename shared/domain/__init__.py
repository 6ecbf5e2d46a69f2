"""The core: pure decisions about money, time, policy and standing. Standard library only."""
