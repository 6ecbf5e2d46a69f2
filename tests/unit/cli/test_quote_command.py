"""``fairexit quote``: what it prints, where, and with which exit status."""

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from infrastructure.cli.__main__ import main
from tests.unit.domain.cases import case


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(text: str) -> str:
        path = tmp_path / "case.json"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return written


def test_a_case_is_decided_and_printed(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quote", write(json.dumps(case()))]) == 0
    assert json.loads(capsys.readouterr().out)["amount"] == 97479


def test_a_denial_is_a_decision(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quote", write(json.dumps(case("itservices")))]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "denied"


def test_what_the_customer_is_told_comes_in_their_language(
    write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quote", write(json.dumps(case())), "--explain", "de"]) == 0
    assert capsys.readouterr().out == (
        "Die Erstattung wird gewährt. Von Position il_1 ist 593/730 ungenutzt.\n"
    )


def test_standard_input_is_read_for_a_dash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(json.dumps(case()).encode()))
    monkeypatch.setattr("sys.stdin", stream)

    assert main(["quote", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "granted"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{", "$"),
        ('{"now": 1, "now": 2}', "$"),
        ('{"now": NaN}', "$"),
        ("[" * 100000, "$"),
        ('{"now": ' + "9" * 5000 + "}", "$"),
        (json.dumps(case("nobodys")), "$.policy"),
        (json.dumps(case("../../etc/passwd")), "$.policy"),
        (json.dumps(case() | {"now": "noon"}), "$.now"),
    ],
)
def test_refused_input_ends_2_with_the_path_and_decides_nothing(
    write: Any, capsys: pytest.CaptureFixture[str], text: str, path: str
) -> None:
    assert main(["quote", write(text)]) == 2

    printed = capsys.readouterr()
    assert printed.err.startswith(f"{path}: found ")
    assert printed.out == ""


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quote", "nowhere.json"]) == 2
    assert main(["quote", "--batch", "nowhere.json"]) == 2
    assert "nowhere.json: found No such file" in capsys.readouterr().err


def test_bytes_that_are_not_utf_8_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "case.json"
    path.write_bytes(b'{"policy": "\xff"}')

    assert main(["quote", str(path)]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_a_batch_answers_a_faulty_line_in_place_and_goes_on(
    write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.dumps(case())
    name = write("\n".join([good, json.dumps(case() | {"now": "noon"}), "", good]))

    assert main(["quote", "--batch", name]) == 2

    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer.get("amount") for answer in answers] == [97479, None, 97479]
    assert answers[1]["line"] == 2
    assert [fault["path"] for fault in answers[1]["faults"]] == ["$.now"]


def test_a_batch_without_faults_ends_0(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quote", "--batch", write(json.dumps(case()) + "\n")]) == 0
    assert capsys.readouterr().out.count("\n") == 1


@pytest.fixture
def schemas(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["quote", "--schema"]) == 0
    schema: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema["$defs"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("pack", ["voip", "rtc", "itservices", "moneyback"])
@pytest.mark.parametrize("ground", ["unused_period", "dissatisfaction", "withdrawal", "goodwill"])
def test_both_sides_keep_to_the_printed_schema(
    write: Any,
    capsys: pytest.CaptureFixture[str],
    schemas: dict[str, Any],
    pack: str,
    ground: str,
) -> None:
    document = case(pack, request={"ground": ground})
    main(["quote", write(json.dumps(document))])

    jsonschema.validate(document, schemas["in"])
    jsonschema.validate(json.loads(capsys.readouterr().out), schemas["out"])


def test_the_schema_closes_every_enum_and_states_every_default(schemas: dict[str, Any]) -> None:
    request = schemas["in"]["properties"]["request"]
    assert request["properties"]["channel"]["default"] == "portal"
    assert "withdrawal" in request["properties"]["ground"]["enum"]
    assert request["additionalProperties"] is False
    assert schemas["in"]["required"] == ["policy", "now", "request"]
    assert schemas["in"]["properties"]["invoices"]["items"]["required"] == ["currency"]


def test_a_pack_may_be_a_file_of_ones_own(
    tmp_path: Path, write: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        """
        id = "own"
        version = "7"
        title = "Half an hour"
        effective_at = 2026-01-01T00:00:00Z
        time_zone = "UTC"
        [[clause]]
        id = "own.all"
        kind = "formula"
        share = "full_amount"
        code = "all"
        text = "Everything goes back."
        """,
        encoding="utf-8",
    )

    assert main(["quote", write(json.dumps(case(str(own))))]) == 0
    out = json.loads(capsys.readouterr().out)
    assert (out["amount"], out["policy"]["version"]) == (120000, "7")
