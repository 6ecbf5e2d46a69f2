"""Writing a calendar of holidays at authoring time, from a kept library.

No function imports that library: what ships is the data.
"""

import importlib
from itertools import groupby

LIBRARY = "holidays"


def calendar_text(country: str, first: int, last: int) -> str:
    """A country's public holidays of some years as a calendar in TOML, a year a line."""
    library = importlib.import_module(LIBRARY)
    days = sorted(library.country_holidays(country, years=range(first, last + 1)))
    years = [
        "  " + ", ".join(day.isoformat() for day in group) + ","
        for _, group in groupby(days, key=lambda day: day.year)
    ]
    return "\n".join(
        [
            f'id = "{country.lower()}"',
            f'title = "Public holidays of {country}"',
            f'source = "{LIBRARY} {library.__version__}, {first} to {last}"',
            "holidays = [",
            *years,
            "]",
            "",
        ]
    )
