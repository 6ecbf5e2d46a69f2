"""A plot of disputes by month against the networks' limit, as SVG, by ReportLab."""

from collections.abc import Sequence
from pathlib import Path

from infrastructure.cli.dispute_report import THRESHOLD
from shared.domain.dispute_months import MonthOfDisputes

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 300, 50, 40


def plot(months: Sequence[MonthOfDisputes], target: Path) -> None:
    """Bars of the ratio by month, in percent, and the limit as a line; counts stand on the bars."""
    from reportlab.graphics import renderSVG  # noqa: PLC0415 - only who plots waits for it
    from reportlab.graphics.charts.barcharts import VerticalBarChart  # noqa: PLC0415
    from reportlab.graphics.shapes import Drawing, Line, String  # noqa: PLC0415
    from reportlab.lib import colors  # noqa: PLC0415

    percents = [float(row.ratio * 100) if row.ratio else 0.0 for row in months]
    top = max([float(THRESHOLD * 100) * 4 / 3, *percents])
    chart = VerticalBarChart()
    chart.x, chart.y = LEFT, BOTTOM
    chart.width, chart.height = WIDTH - 2 * LEFT, HEIGHT - 2 * BOTTOM
    chart.data = [percents]
    chart.categoryAxis.categoryNames = [row.month for row in months]
    chart.valueAxis.valueMin, chart.valueAxis.valueMax = 0, top
    chart.barLabels.nudge = 8
    chart.barLabelFormat = "values"
    chart.barLabelArray = [[f"{row.count} of {row.payments or '?'}" for row in months]]
    chart.bars[0].fillColor = colors.steelblue
    drawing = Drawing(WIDTH, HEIGHT)
    drawing.add(chart)
    limit = BOTTOM + chart.height * float(THRESHOLD * 100) / top
    line = Line(LEFT, limit, WIDTH - LEFT, limit, strokeColor=colors.firebrick)
    drawing.add(line)
    title = f"Chargebacks in percent of payments; the line is the networks' {THRESHOLD * 100} %"
    drawing.add(String(LEFT, HEIGHT - BOTTOM / 2, title, fontSize=11))
    renderSVG.drawToFile(drawing, str(target))
