"""``fairexit quote``: decides a case without AWS and without Stripe."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from infrastructure.cli.documents import REFUSED, as_data, parse_json, read_bytes, report
from shared.adapters.policy_files import load_policy_for
from shared.domain.case import CASE, parse_case
from shared.domain.decision import Decision
from shared.domain.explanation import explain
from shared.domain.quote_form import OUT
from shared.domain.refund import decide_refund, quote_document
from shared.domain.shapes import FaultsError
from shared.domain.words import ENGLISH
from shared.domain.words_german import GERMAN

LANGUAGES = {words.language: words for words in (ENGLISH, GERMAN)}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser("quote", help="decide a case that a JSON document describes")
    parser.add_argument("file", nargs="?", help="a JSON file, or - for standard input")
    parser.add_argument("--batch", action="store_true", help="one case a line; streams")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of both sides")
    parser.add_argument(
        "--explain", choices=LANGUAGES, help="print what the customer is told instead"
    )
    parser.set_defaults(run=run, usage=parser.format_usage())


def run(options: argparse.Namespace) -> int:
    """Runs the command; returns its exit status."""
    if options.schema:
        print(json.dumps(schema(), indent=2))
        return 0
    if options.file is None:
        print(
            f"{options.usage}fairexit quote: name a file, or - for standard input", file=sys.stderr
        )
        return REFUSED
    try:
        if options.batch:
            return _batch(options.file)
        decision = decide(parse_json(read_bytes(options.file)))
    except FaultsError as error:
        return report(error.faults)
    if options.explain:
        print(explain(decision, LANGUAGES[options.explain]))
    else:
        print(json.dumps(quote_document(decision), indent=2))
    return 0


def decide(document: Any) -> Decision:
    """The decision on an In document; ``FaultsError`` with every fault."""
    case = parse_case(document)
    return decide_refund(load_policy_for(case), case)


def schema() -> dict[str, Any]:
    """The JSON Schema of both sides: ``$defs.in`` and ``$defs.out``."""
    return {"$schema": DIALECT, "$defs": {"in": CASE.schema(), "out": OUT.schema()}}


def _batch(name: str) -> int:
    """Answers each line at once; a faulty one in its place."""
    if name == "-":
        return _answer(sys.stdin.buffer)
    try:
        with Path(name).open("rb") as lines:
            return _answer(lines)
    except OSError:
        read_bytes(name)  # reports it in the same words as a single case
        raise


def _answer(lines: Iterable[bytes]) -> int:
    status = 0
    for answer in _answers(lines):
        if "faults" in answer:
            status = REFUSED
        sys.stdout.write(json.dumps(answer, separators=(",", ":")) + "\n")
        sys.stdout.flush()
    return status


def _answers(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield quote_document(decide(parse_json(line)))
        except FaultsError as error:
            yield {"line": number, "faults": as_data(error.faults)}
