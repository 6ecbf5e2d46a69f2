"""A planned death comes once, at the call that was meant, whoever makes it."""

import json
from pathlib import Path
from typing import Any

import pytest

from infrastructure.local.crash_points import CrashPoints, changes_something, name_of


def plan(folder: Path, **change: Any) -> None:
    document = {"about": ["cus_1"], "nth": 2, "when": "before"} | change
    (folder / "one.json").write_text(json.dumps(document))


def test_the_second_of_two_workers_dies_and_the_third_does_not(tmp_path: Path):
    plan(tmp_path, call="POST /v1/refunds")
    workers = [CrashPoints(tmp_path) for _ in range(3)]
    assert [one.pass_by("POST /v1/refunds", "customer=cus_1") for one in workers] == [
        [],
        ["before"],
        [],
    ]


@pytest.mark.parametrize(
    ("change", "call", "text"),
    [
        ({"call": "PutItem"}, "POST /v1/refunds", "cus_1"),
        ({}, "GetItem", "cus_1"),
        ({}, "GET /v1/refunds", "cus_1"),
        ({}, "PutItem", "cus_2"),
        ({"holding": "succeeded"}, "PutItem", "cus_1 pending"),
        ({"function": "another"}, "PutItem", "cus_1"),
    ],
)
def test_another_call_is_not_counted(tmp_path: Path, change: Any, call: str, text: str):
    plan(tmp_path, nth=1, **change)
    assert CrashPoints(tmp_path).pass_by(call, text) == []
    assert not (tmp_path / "one.count").exists()


def test_it_dies_at_the_moment_that_was_meant(tmp_path: Path):
    died: list[str] = []
    points = CrashPoints(tmp_path, die=lambda: died.append("now"))
    points.die_if("before", ["after"])
    assert died == []
    points.die_if("after", ["after"])
    assert died == ["now"]


def test_requests_are_named_by_what_they_do():
    assert name_of("POST", "/", {"X-Amz-Target": b"DynamoDB_20120810.PutItem"}) == "PutItem"
    assert name_of("GET", "/v1/refunds?limit=1", {}) == "GET /v1/refunds"
    assert changes_something("DELETE /v1/subscriptions/sub_1")


def test_an_answer_to_who_only_reads_changes_nothing(tmp_path: Path):
    plan(tmp_path, nth=1)
    points = CrashPoints(tmp_path)
    assert points.answers('{"routeKey": "GET /v1/account"}', '{"customer": "cus_1"}') == []
    assert points.answers('{"Records": ["cus_1"]}', "") == ["before"]
