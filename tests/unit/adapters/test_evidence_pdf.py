"""The document: a PDF with every section, the same bytes each time, whatever the text holds."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.adapters.evidence_pdf import PdfRenderer
from shared.domain.evidence import Family, Pack, Section, Subject

ROOT = Path(__file__).parents[3]


def pack(text: str = "Nothing has gone back.", rows: int = 3) -> Pack:
    at = datetime(2026, 3, 10, 12, tzinfo=UTC).isoformat()
    table = tuple((at, f"use {number}", "203.0.113.7", "d-1") for number in range(rows))
    head = ("when", "what", "IP address", "device")
    sections = (
        Section(Subject.REFUNDS, "Refunds", text),
        Section(Subject.ACTIVITY, "Use of the service", "Used.", head, table),
    )
    return Pack("du_1", Family.CANCELED, "Response to dispute du_1", sections, {}, ())


def test_it_is_a_pdf_and_the_same_one_each_time() -> None:
    first, second = PdfRenderer().render(pack()), PdfRenderer().render(pack())
    assert first.startswith(b"%PDF-")
    assert first == second


def test_a_long_log_goes_over_several_pages_and_stays_small() -> None:
    document = PdfRenderer().render(pack(rows=200))
    assert document.count(b"/Type /Page\n") > 2
    assert len(document) < 200_000


@pytest.mark.parametrize(
    "text", ["<b>bold</b> & <br>", "日本語 Ω", "<para>", "a" * 5_000, "", "\x00\x07"]
)
def test_no_text_breaks_it(text: str) -> None:
    assert PdfRenderer().render(pack(text)).startswith(b"%PDF-")


def test_only_the_function_for_evidence_carries_what_writes_documents() -> None:
    carried = sorted(ROOT.glob("functions/*/requirements.txt"))
    assert [path.parent.name for path in carried] == ["perform_evidence_effect"]
    assert carried[0].read_bytes() == (ROOT / "requirements/evidence.txt").read_bytes()
    assert "reportlab" not in (ROOT / "requirements/runtime.txt").read_text()
