"""The corpus of inbound mails, message by message, and what no message may do."""

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.inbound_mail import MAX_ATTACHMENTS, MAX_TEXT, read_mail
from shared.domain.mail_verdict import (
    MailKind,
    MailReceipt,
    Verdict,
    invoice_number,
    judge_mail,
    normal_address,
    same_address,
    sender_key,
)

CORPUS = Path(__file__).parents[2] / "fixtures" / "mails"
RUNBOOK = Path(__file__).parents[3] / "docs" / "runbooks" / "inbound-mail.md"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((CORPUS / "expected.toml").read_text())
OWN = "refunds@vendor.example"
FORM = "Refund Request: {invoice}"


def receipt(**given: str) -> MailReceipt:
    verdicts = {name: Verdict(given.get(name, "PASS")) for name in ("spf", "dkim", "dmarc")}
    return MailReceipt(
        message="ses-1",
        envelope_from=given.get("envelope", "ann@example.com"),
        spam=Verdict(given.get("spam", "PASS")),
        virus=Verdict(given.get("virus", "PASS")),
        **verdicts,
    )


def judged(name: str) -> Any:
    given = {k: v for k, v in EXPECTED[name].items() if isinstance(v, str)}
    mail = read_mail((CORPUS / f"{name}.eml").read_bytes())
    return mail, judge_mail(mail, receipt(**given), own_address=OWN, subject=FORM)


@pytest.mark.clause("rtc.intake")
@pytest.mark.parametrize("name", EXPECTED)
def test_each_message_of_the_corpus_is_taken_for_what_it_is(name: str):
    expected = EXPECTED[name]
    mail, verdict = judged(name)
    assert verdict.kind == expected["outcome"]
    assert expected.get("text", "") in mail.text
    if "files" in expected:
        assert [attachment.name for attachment in mail.attachments] == expected["files"]
    if verdict.kind is MailKind.REQUEST:
        assert verdict.invoice_number == "A-0001"
        assert mail.sender is not None
        assert same_address(mail.sender, "ann@example.com")


def test_the_corpus_is_whole():
    """Every message has its expectation and the other way round; every outcome is met."""
    assert {path.stem for path in CORPUS.glob("*.eml")} == set(EXPECTED)
    counts = Counter(entry["outcome"] for entry in EXPECTED.values())
    assert set(counts) == set(MailKind)
    assert counts.total() >= 80
    told = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", RUNBOOK.read_text(), re.MULTILINE))
    assert told == {kind: str(count) for kind, count in counts.items()}
    assert f"holds {counts.total()} messages" in RUNBOOK.read_text()


def test_a_mail_of_ten_megabytes_is_read():
    line = b"QUJDRA" * 12 + b"\r\n"
    body = line * (10 * 1024 * 1024 // len(line))
    head = (CORPUS / "attachment_png.eml").read_bytes().partition(b"iVBOR")[0]
    mail = read_mail(head + body + b"--b1--\r\n")
    (attachment,) = mail.attachments
    assert len(attachment.content) > 7 * 1024 * 1024


def test_more_files_than_anybody_sends_are_left_out_and_counted():
    raw = (CORPUS / "attachment_png.eml").read_bytes()
    head, _, file = raw.removesuffix(b"--b1--\r\n").rpartition(b"--b1\r\n")
    mail = read_mail(head + (b"--b1\r\n" + file) * 25 + b"--b1--\r\n")
    assert (len(mail.attachments), mail.left_out) == (MAX_ATTACHMENTS, 25 - MAX_ATTACHMENTS)


@given(st.binary(max_size=2000))
def test_no_message_breaks_the_reader(raw: bytes):
    mail = read_mail(raw)
    assert len(mail.text) <= MAX_TEXT
    judge_mail(mail, receipt(), own_address=OWN, subject=FORM)


HEADERS = ["From", "Subject", "Content-Type", "Content-Disposition", "Content-Transfer-Encoding"]


@given(
    st.lists(st.tuples(st.sampled_from(HEADERS), st.text(max_size=60)), max_size=8),
    st.text(max_size=200),
)
def test_no_header_breaks_the_reader(headers: list[tuple[str, str]], body: str):
    lines = [f"{name}: {value}" for name, value in headers]
    raw = "\r\n".join([*lines, "", body]).encode("utf-8", "surrogatepass")
    judge_mail(read_mail(raw), receipt(), own_address=OWN, subject=FORM)


@given(st.from_regex(r"[A-Z0-9]{1,12}-[0-9]{4}", fullmatch=True), st.integers(0, 4))
def test_a_number_is_found_however_often_the_mail_was_answered(number: str, times: int):
    assert invoice_number("Re: " * times + f"Refund Request: {number}", FORM) == number


@pytest.mark.parametrize(
    ("form", "subject", "number"),
    [
        ("Billing error {invoice} (form 7)", "billing error  X-9 (form 7)", "X-9"),
        ("Billing error {invoice} (form 7)", "billing error X-9", None),
    ],
)
def test_the_form_of_the_subject_is_the_policys(form: str, subject: str, number: str | None):
    assert invoice_number(subject, form) == number


def test_an_address_is_one_mailbox_however_it_is_written():
    assert normal_address(" Ann@EXAMPLE.com ") == "ann@example.com"
    assert same_address("ann@bücher.example", "ANN@xn--bcher-kva.example")
    assert not same_address("ann@example.com", "ann@example.org")
    assert sender_key("Ann@Example.com") == sender_key("ann@example.com")
    assert "ann" not in sender_key("ann@example.com")
