"""`python -m infrastructure.local.stripe --port 4567 --clock FILE [--start RFC3339]`."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from infrastructure.local.stripe.clock import Clock
from infrastructure.local.stripe.server import Server
from infrastructure.local.stripe.service import LocalStripe


def main() -> int:
    """Serves until it is told to stop; a busy port or a bad option is one clear sentence."""
    parser = argparse.ArgumentParser(prog="infrastructure.local.stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=4567, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--clock", type=Path, help="the clock's file, shared with who reads it")
    parser.add_argument("--start", help="the virtual instant to start at, RFC 3339")
    options = parser.parse_args()
    try:
        clock = Clock(options.clock, options.start)
        server = Server(options.port, LocalStripe(clock))
    except OSError as error:
        print(f"the local Stripe cannot listen on port {options.port}: {error.strerror}")
        return 1
    except (ValueError, RuntimeError) as error:
        print(f"the local Stripe cannot start: {error}")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"the local Stripe listens on {server.url}", flush=True)
    server.serve_forever()
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
