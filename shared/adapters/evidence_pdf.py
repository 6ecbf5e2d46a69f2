"""A pack of evidence as a PDF, by ReportLab; only the function that prepares evidence has it.

Plain and small: banks' readers scale pages down and print them in grey. Whatever the built-in
fonts cannot write (they know Latin-1) is written as a question mark; the form's texts beside it
carry it unchanged.
"""

from html import escape
from io import BytesIO
from typing import Any

from shared.domain.evidence import Pack, Section

_MARGIN = 50
_SMALL = 8


class PdfRenderer:
    """`shared.ports.Renderer`."""

    def render(self, pack: Pack) -> bytes:
        """See `Renderer`. Built without a date inside, so that it can be built again."""
        from reportlab.lib.pagesizes import A4  # noqa: PLC0415 - 0.2 s that nobody else pays
        from reportlab.lib.styles import getSampleStyleSheet  # noqa: PLC0415
        from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer  # noqa: PLC0415

        styles = getSampleStyleSheet()
        content = BytesIO()
        document = SimpleDocTemplate(
            content,
            pagesize=A4,
            title=pack.title,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=_MARGIN,
            bottomMargin=_MARGIN,
            invariant=1,
        )
        story: list[Any] = [Paragraph(_text(pack.title), styles["Title"])]
        for number, section in enumerate(pack.sections, start=1):
            heading = f"{number}. {section.title}"
            story += [Spacer(1, 10), Paragraph(_text(heading), styles["Heading2"])]
            story += [Paragraph(_text(section.text), styles["BodyText"])]
            if section.rows:
                story += [Spacer(1, 6), _table(section, styles)]
        document.build(story, onFirstPage=_number, onLaterPages=_number)
        return content.getvalue()


def _table(section: Section, styles: Any) -> Any:
    from reportlab.lib import colors  # noqa: PLC0415
    from reportlab.lib.pagesizes import A4  # noqa: PLC0415
    from reportlab.platypus import Paragraph, Table, TableStyle  # noqa: PLC0415

    style = styles["BodyText"].clone("Cell", fontSize=_SMALL, leading=_SMALL + 2)
    rows = [[Paragraph(_text(cell), style) for cell in row] for row in section.rows]
    head = [Paragraph(f"<b>{_text(cell)}</b>", style) for cell in section.head]
    width = (A4[0] - 2 * _MARGIN) / len(section.head)
    table = Table([head, *rows], colWidths=[width] * len(section.head), repeatRows=1)
    lines: Any = [
        ("GRID", (0, 0), (-1, -1), 0.25, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    table.setStyle(TableStyle(lines))
    return table


def _number(canvas: Any, document: Any) -> None:
    canvas.setFont("Helvetica", _SMALL)
    canvas.drawRightString(document.pagesize[0] - _MARGIN, _MARGIN / 2, f"page {document.page}")


def _text(text: str) -> str:
    """Text for a paragraph: escaped, and in the characters that the built-in fonts have."""
    return escape(text.encode("latin-1", "replace").decode("latin-1"))
