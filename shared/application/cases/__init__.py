"""Refund cases: opened, gathered for, reviewed, decided, paid on time."""
