"""Start MiniStack with the shims, or end with one sentence when it is another version."""

import sys
from importlib.metadata import version

EXPECTED = "1.5.33"


def main() -> None:
    """Serve until terminated."""
    if version("ministack") != EXPECTED:
        sys.exit(f"the shims are written for ministack {EXPECTED}, not {version('ministack')}")
    # Only now, since importing MiniStack already starts parts of it.
    from infrastructure.local.emulator import functions, http_api, permissions, table  # noqa: PLC0415

    table.install()
    http_api.install()
    functions.install()
    permissions.install()

    from ministack.app import main as serve  # noqa: PLC0415

    serve()


if __name__ == "__main__":
    main()
