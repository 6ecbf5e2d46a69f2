"""A write without its condition: only a planted bug makes one."""

from shared.ports import Put


class Unconditional(Put):
    """Written whatever stands there."""
