"""Make the project's Python environments from the hash-locked sets in `requirements/`.

`setup` makes two: `.venv` (the application's: what production has, plus lint and test tools) and
`.local/emulator` (MiniStack, whose own botocore pin must not hold back the one that ships).
`build` makes a third with SAM's command line; `lock` renews the locked sets.

Runs under any `python3` with the standard library alone, so its syntax stays old enough for an
outdated interpreter to reach the sentence that says so.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Iterator, Sequence  # noqa: UP035 -- an old interpreter must reach the check

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
LOG = ROOT / ".local" / "setup.log"
BOOTSTRAP = ROOT / ".local" / "bootstrap"

# The words by which uv and pip say that no registry answered.
UNREACHABLE = re.compile(
    r"NewConnectionError|Failed to establish|Temporary failure in name resolution|dns error"
    r"|Connection refused|No matching distribution found|Failed to fetch|tunnel error"
    r"|Network is unreachable|timed out|error sending request",
    re.IGNORECASE,
)


class SetupError(Exception):
    """One sentence for the person at the terminal."""


@dataclasses.dataclass(frozen=True)
class Environment:
    """A virtual environment at `path` that holds exactly the set `requirements/<locked>.txt`."""

    name: str
    path: Path
    locked: str

    @property
    def python(self) -> Path:
        """Return the environment's interpreter."""
        return self.path / "bin" / "python"

    @property
    def requirements(self) -> Path:
        """Return the locked set."""
        return ROOT / "requirements" / (self.locked + ".txt")

    @property
    def stamp(self) -> Path:
        """Return the file that tells what the environment was made from."""
        return self.path / "made-from"

    def basis(self) -> str:
        """Digest what the bare environment depends on: the interpreter and its own place."""
        # Its scripts hold absolute paths, so a clone that was moved needs new ones.
        parts = (sys.version, sys.executable, str(self.path))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def wanted(self) -> str:
        """Tell all that the environment depends on: its basis and the locked set."""
        return f"{self.basis()} {hashlib.sha256(self.requirements.read_bytes()).hexdigest()}"

    def made_from(self) -> str:
        """Return what the environment was made from; empty while it is unfinished or absent."""
        try:
            return self.stamp.read_text() if self.python.exists() else ""
        except OSError:
            return ""

    def is_current(self) -> bool:
        """Return whether nothing has to be done."""
        return self.made_from() == self.wanted()


APPLICATION = Environment("application", ROOT / ".venv", "test")
EMULATOR = Environment("emulator", ROOT / ".local" / "emulator", "local")
BUILD = Environment("build", ROOT / ".local" / "build", "build")
# What is tested is what ships: a set built on another may not move its pins.
PINS = {
    "evidence": ("runtime",),
    "test": ("runtime", "evidence"),
    "mutate": ("runtime", "evidence", "test"),
}
MUTATION = Environment("mutation", ROOT / ".local" / "mutation", "mutate")


def check_interpreter() -> None:
    """Refuse an interpreter that cannot make the environments, with the way out."""
    found = "{}.{}".format(*sys.version_info[:2])
    if sys.version_info[:2] < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise SetupError(
            f"Python {oldest} or newer is needed, but {sys.executable} is Python {found}: "
            "install a newer one, or name it with `make PYTHON=python3.13`."
        )
    for module in ("venv", "ensurepip"):
        try:
            __import__(module)
        except ImportError:
            raise SetupError(
                f"Python {found} came without the module {module}: on Debian and Ubuntu, "
                f"`apt-get install python{found}-venv` brings it."
            ) from None


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Show `what` while it is being done, with the seconds that it takes."""
    begun, done, live = time.monotonic(), threading.Event(), sys.stdout.isatty()

    def tick() -> None:
        while not done.wait(0.2):
            print(f"\r  {what} … {time.monotonic() - begun:.0f} s", end="", flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    if live:
        ticker.start()
    else:
        print(f"  {what} …", flush=True)
    try:
        yield
    finally:
        done.set()
        if live:
            ticker.join()
        start = "\r" if live else ""
        print(f"{start}  {what}: {time.monotonic() - begun:.1f} s", flush=True)


def run(command: Sequence[str | Path], *, clean: bool = False) -> str | None:
    """Run `command`, its output into the log; return None, or the output when it failed.

    `clean` keeps a developer's own settings of uv and pip (indexes, constraints) out of what it
    writes.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if not (clean and key.startswith(("UV_", "PIP_"))) and key != "VIRTUAL_ENV"
    }
    result = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    with LOG.open("a") as log:
        log.write("$ {}\n{}\n".format(" ".join(str(part) for part in command), result.stdout))
    return None if result.returncode == 0 else result.stdout


def fail(what: str, output: str) -> SetupError:
    """Turn a failed command's output into one sentence."""
    where = LOG.relative_to(ROOT)
    if UNREACHABLE.search(output):
        return SetupError(
            f"{what} failed, since no Python package registry could be reached: "
            f"check the network or pip's index settings, then run it again ({where} has the rest)."
        )
    return SetupError(f"{what} failed: see the end of {where}.")


def make_bootstrap() -> Path | None:
    """Make the small environment with pip and uv; return uv, or None where it cannot be had."""
    bootstrap = Environment("bootstrap", BOOTSTRAP, "bootstrap")
    uv = BOOTSTRAP / "bin" / "uv"
    if bootstrap.is_current():
        return uv if uv.exists() else None
    with step("the installer (uv)"):
        output = run([sys.executable, "-m", "venv", "--clear", BOOTSTRAP])
        if output is not None:
            raise fail("Making a virtual environment", output)
        options = ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        pip: list[str | Path] = [bootstrap.python, "-m", "pip", "install", *options]
        output = run([*pip, "--require-hashes", "-r", bootstrap.requirements])
    if output is not None:
        if re.search(r"NewConnectionError|Failed to establish|name resolution", output):
            raise fail("Installing uv", output)
        print("  uv cannot be had here; pip does its work, slower", flush=True)
    bootstrap.stamp.write_text(bootstrap.wanted())
    return uv if uv.exists() else None


def install(uv: Path | None, environment: Environment) -> None:
    """Install the locked set with uv, else with pip (which a mirror's own settings may need)."""
    into: list[str | Path] = ["--python", environment.python]
    if uv is not None:
        options = ["--quiet", "--require-hashes", *into, environment.requirements]
        if run([uv, "pip", "sync", *options]) is None:
            return
    pip = [BOOTSTRAP / "bin" / "python", "-m", "pip", *into, "install"]
    options = ["--disable-pip-version-check", "--no-deps", "--require-hashes"]
    output = run([*pip, *options, "-r", environment.requirements])
    if output is not None:
        raise fail(f"Installing {environment.requirements.relative_to(ROOT)}", output)


def make(environment: Environment) -> None:
    """Bring `environment` to its locked set."""
    if environment.is_current():
        return
    uv = make_bootstrap()
    with step(f"the {environment.name} environment"):
        usable = uv is not None and environment.made_from().startswith(environment.basis())
        # A stamp may only ever stand beside a finished environment.
        environment.stamp.unlink(missing_ok=True)
        if not usable:
            venv: list[str | Path] = [sys.executable, "-m", "venv", "--without-pip", "--clear"]
            if (output := run([*venv, environment.path])) is not None:
                raise fail(f"Making {environment.path.name}", output)
        install(uv, environment)
        environment.stamp.write_text(environment.wanted())


def lock() -> None:
    """Renew every locked set, free of this machine's indexes, links and paths."""
    uv = make_bootstrap()
    if uv is None:
        raise SetupError("Locking needs uv, which could not be installed here.")
    common: list[str | Path] = [
        "--universal",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-config",
    ]
    common += ["--python-version", "{}.{}".format(*OLDEST), "--quiet"]
    common += ["--custom-compile-command", "make lock", *sys.argv[2:]]
    for name in ("bootstrap", "runtime", "evidence", "test", "mutate", "local", "build"):
        target = f"requirements/{name}.txt"
        pins = [arg for pin in PINS.get(name, ()) for arg in ("-c", f"requirements/{pin}.txt")]
        with step(f"locking {target}"):
            compile_ = [uv, "pip", "compile", *common, *pins, f"requirements/{name}.in"]
            output = run([*compile_, "-o", target], clean=True)
        if output is not None:
            raise fail(f"Locking {target}", output)
    shutil.copyfile(ROOT / "requirements/runtime.txt", ROOT / "shared/requirements.txt")
    own = ROOT / "functions/perform_evidence_effect/requirements.txt"
    shutil.copyfile(ROOT / "requirements/evidence.txt", own)


def main(arguments: Sequence[str]) -> int:
    """Carry out `setup` (default), `build`, `mutate` or `lock`; return the exit status."""
    task = arguments[0] if arguments else "setup"
    wanted = {
        "setup": [APPLICATION, EMULATOR],
        "build": [BUILD],
        "mutate": [MUTATION],
        "lock": [],
    }
    if task not in wanted:
        print(f"environments.py knows {', '.join(wanted)}, not {task!r}.", file=sys.stderr)
        return 2
    try:
        check_interpreter()
        if wanted[task] and all(environment.is_current() for environment in wanted[task]):
            return 0
        LOG.parent.mkdir(exist_ok=True)
        with (LOG.parent / "setup.lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)  # two makes at once must not build one environment
            LOG.write_text("")
            for environment in wanted[task]:
                make(environment)
            if task == "lock":
                lock()
    except SetupError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
