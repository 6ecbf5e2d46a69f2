"""The embedded AWS: how MiniStack is started, and clients that talk to it."""

import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infrastructure.local.ports import HOST
from infrastructure.local.processes import ROOT, Server

PYTHON = ROOT / ".local" / "emulator" / "bin" / "python"
REGION = "us-east-1"
ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def aws_client(service: str, endpoint: str) -> Any:
    """Return a client of a service of the embedded AWS."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=ROOT_KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ROOT_KEYS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"mode": "standard"}, read_timeout=120),
    )


def start_emulator(port: int, directory: Path, clock: Path) -> Server:
    """Start MiniStack: loopback only, roles enforced, all its files in `directory`."""
    for folder in ("logs", "tmp", "crashes", "workers"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    environment = {
        **ROOT_KEYS,
        "AUTH": "true",  # the roles of the template are enforced
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "HOME": str(directory),
        "TMPDIR": str(directory / "tmp"),
        "STATE_DIR": str(directory / "state"),
        "S3_DATA_DIR": str(directory / "s3"),
        "FAIREXIT_PYTHON": sys.executable,
        "FAIREXIT_LOGS": str(directory / "logs"),
        "FAIREXIT_CLOCK_FILE": str(clock),
        "FAIREXIT_CRASHES": str(directory / "crashes"),
        "FAIREXIT_WORKERS": str(directory / "workers"),
    }
    return Server(
        "The embedded AWS",
        ["infrastructure.local.emulator"],
        python=PYTHON,
        environment=environment,
        log=directory / "logs" / "emulator.log",
    )
