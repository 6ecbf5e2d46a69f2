"""The ``fairexit`` command: ``python -m infrastructure.cli``.

Exit status: 0 done (a denial is a decision), 1 done and something needs a person, 2 input refused,
with every fault on standard error.
"""

import argparse
import sys
from collections.abc import Sequence

from infrastructure.cli import (
    disputes_command,
    dlq_command,
    policy_command,
    privacy_command,
    quote_command,
    reconcile_command,
    refund_command,
    restore_command,
    switch_command,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="fairexit", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    quote_command.add_to(commands)
    policy_command.add_to(commands)
    switch_command.add_to(commands)
    reconcile_command.add_to(commands)
    disputes_command.add_to(commands)
    dlq_command.add_to(commands)
    privacy_command.add_to(commands)
    refund_command.add_to(commands)
    restore_command.add_to(commands)
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        # The reader has seen enough, as `head` does; nothing is wrong.
        sys.stderr.close()
