"""Extracts the request examples of this server's families from stripe's source distribution.

`python tests/contract/stripe/extract_examples.py stripe-16.1.0.tar.gz` writes `examples.txt`; the
archive comes from `pip download --no-deps --no-binary :all: stripe==16.1.0`.
"""

import ast
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from infrastructure.local.stripe.families import SERVICES
from infrastructure.local.stripe.sdk import Sdk

MULTIPART = "POST /v1/files"  # the examples do not say what it holds
EXAMPLES = Path(__file__).with_name("examples.txt")
HEADER = (
    "# Requests of tests/test_generated_examples.py in the source distribution of stripe {version}"
    " (MIT licence, Stripe).\n# Written by extract_examples.py.\n"
)


def requests(source: str) -> Iterator[tuple[str, str, str]]:
    """Method, path and encoded parameters of each `assert_requested`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="assert_requested"), args=[ast.Constant(), *_]):
                method = ast.literal_eval(node.args[0])
                given = {
                    keyword.arg: ast.literal_eval(keyword.value)
                    for keyword in node.keywords
                    if isinstance(keyword.value, ast.Constant)
                }
                body = given.get("post_data") or given.get("query_string") or ""
                yield method.upper(), given["path"], body


def main(archive: str) -> None:
    sdk = Sdk()
    shapes = [
        (method, re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path)))
        for method, path in sdk.endpoints(SERVICES)
    ]
    name = f"stripe-{sdk.version}/tests/test_generated_examples.py"
    with tarfile.open(archive) as files:
        member = files.extractfile(name)
        assert member is not None
        found = {
            f"{method} {path} {body}".rstrip()
            for method, path, body in requests(member.read().decode())
            if f"{method} {path}" != MULTIPART
            and any(of == method and shape.fullmatch(path) for of, shape in shapes)
        }
    header = HEADER.format(version=sdk.version)
    EXAMPLES.write_text(header + "\n".join(sorted(found)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
