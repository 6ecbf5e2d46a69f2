"""Run a module for as long as the launcher lives: `python -m infrastructure.local.leash MODULE …`.

The launcher holds the other end of this process's standard input. When it goes away, however that
happened, the end of that stream takes the whole process group along: no server is left behind.
"""

import os
import runpy
import signal
import sys
import threading


def follow_the_launcher() -> None:
    """Wait for the launcher's end, then end this process and all that it started."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=follow_the_launcher, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
