"""What stops the local stack, told in one sentence."""


class LaunchError(Exception):
    """A sentence for the person at the terminal; the command ends with status 1."""
