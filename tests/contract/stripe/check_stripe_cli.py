"""The official Stripe CLI triggers events of the local Stripe, and each must then have happened.

A check that nobody here wrote: its fixtures are Stripe's. It needs npm, hence `make
check-stripe-cli` apart from the tests. The CLI talks to loopback alone and sends no telemetry.
"""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from infrastructure.local.stripe.clock import Clock
from infrastructure.local.stripe.server import Server
from infrastructure.local.stripe.service import LocalStripe

VERSION = "1.52.0"
FOLDER = Path(__file__).resolve().parents[3] / ".local" / "stripe-cli"
TRIGGERS = (
    "charge.dispute.created",
    "charge.refunded",
    "credit_note.created",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.paid",
    "invoice.payment_failed",
)
TIMEOUT_SECONDS = 120


def install() -> Path:
    """The CLI of the pinned version, from npm when it is not there yet."""
    binary = FOLDER / "node_modules" / ".bin" / "stripe"
    package = f"@stripe/cli@{VERSION}"
    if not binary.exists():
        command = ["npm", "install", "--silent", "--no-fund", "--prefix", str(FOLDER), package]
        subprocess.run(command, check=True, timeout=600, stdout=subprocess.DEVNULL)  # noqa: S603
    return binary


def trigger(binary: Path, url: str, event: str, home: str) -> str:
    """Runs one trigger; what the CLI said when it failed, else nothing."""
    done = subprocess.run(  # noqa: S603
        [str(binary), "--api-base", url, "--api-key", "sk_test_local_stripe", "trigger", event],
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        env={**os.environ, "HOME": home, "STRIPE_CLI_TELEMETRY_OPTOUT": "1"},
    )
    return "" if done.returncode == 0 else (done.stderr + done.stdout).strip()


def main() -> int:
    """A line a trigger; 1 when one of them failed."""
    try:
        binary = install()
    except (OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"the Stripe CLI cannot be installed with npm: {error}\n")
        return 1
    service = LocalStripe(Clock())
    server = Server(0, service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    failed = 0
    with tempfile.TemporaryDirectory() as home:
        for event in TRIGGERS:
            before = sum(row["type"] == event for row in service.store.rows("event"))
            fault = trigger(binary, server.url, event, home)
            after = sum(row["type"] == event for row in service.store.rows("event"))
            happened = not fault and after > before
            failed += not happened
            sys.stdout.write(f"{'ok  ' if happened else 'FAIL'}  {event}  {fault}\n")
    failed += len(service.store.violations)
    for violation in service.store.violations:
        sys.stdout.write(f"FAIL  {violation}\n")
    sys.stdout.write(f"{len(TRIGGERS)} triggers of Stripe CLI {VERSION}, {failed} failed\n")
    server.shutdown()
    server.server_close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
