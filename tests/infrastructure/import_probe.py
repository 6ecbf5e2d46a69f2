"""Import one module in an interpreter of its own and tell what the import did.

The interpreter starts without site, without an environment, and with nothing on its path but what
the caller names: Lambda's view of a function.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# A read counts when code of ours makes it while its module is being imported. What a library reads
# while it is itself imported is its own affair: the import system stands between it and us.
_PROBE = """
import importlib, json, os, sys

paths, ours, module = json.load(sys.stdin)
sys.path[:0] = paths
seen = {"reads": [], "clients": [], "sockets": []}

def ours_asks():
    frame = sys._getframe(2)
    while frame and not frame.f_code.co_filename.startswith("<frozen importlib"):
        if frame.f_code.co_filename.startswith(tuple(ours)):
            return True
        frame = frame.f_back
    return False

original = type(os.environ).__getitem__

def watched(environ, name):
    if ours_asks():
        seen["reads"].append(name)
    return original(environ, name)

type(os.environ).__getitem__ = watched
sys.addaudithook(lambda event, _: event.startswith("socket.") and seen["sockets"].append(event))

import botocore.client

create = botocore.client.ClientCreator.create_client

def counted(self, *args, **kwargs):
    seen["clients"].append(kwargs.get("service_name") or args[0])
    return create(self, *args, **kwargs)

botocore.client.ClientCreator.create_client = counted
before = len(seen["sockets"])
importlib.import_module(module)
seen["sockets"] = [event for event in seen["sockets"][before:] if event != "socket.gethostname"]
seen["modules"] = sorted({name.partition(".")[0] for name in sys.modules})
seen["file"] = sys.modules[module].__file__
json.dump(seen, sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an import did: environment names read by us, AWS clients made, sockets touched."""

    reads: list[str]
    clients: list[str]
    sockets: list[str]
    modules: list[str]
    file: str


def probe(module: str, own: Sequence[Path], third_party: Path) -> Seen:
    """Import `module` with only its `own` folders and one of third-party code on the path.

    Raises:
        AssertionError: the import failed; the message is the interpreter's.
    """
    folders = [str(path) for path in own]
    run = subprocess.run(  # noqa: S603 - this interpreter, with a program of ours
        [sys.executable, "-I", "-S", "-c", _PROBE],
        input=json.dumps([[*folders, str(third_party)], folders, module]),
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return Seen(**json.loads(run.stdout))
