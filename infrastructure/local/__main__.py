"""What `make` calls: `python -m infrastructure.local run|test|lint`."""

import signal
import sys

from infrastructure.local import checks, run
from infrastructure.local.errors import LaunchError


def main(arguments: list[str]) -> int:
    """Carry out one command and return its exit status."""
    try:
        match arguments:
            case ["run"]:
                return run.main()
            case ["test", *rest]:
                return checks.test(rest)
            case ["stages", names, *rest]:
                return checks.stages(names.split(","), rest)
            case ["lint"]:
                return checks.lint()
            case _:
                print("usage: python -m infrastructure.local run|test|lint", file=sys.stderr)
                return 2
    except LaunchError as fault:
        print(fault, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
