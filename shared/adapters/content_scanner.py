"""The scanner that ships: it knows the test file that every virus scanner knows, and active PDFs.

It is the place to connect a real one: a class with the same method, in `bootstrap.py`.
"""

# https://www.eicar.org/download-anti-malware-testfile: in two parts, so that no scanner finds this.
_TEST_FILE = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!"
_ACTIVE = (b"/JavaScript", b"/JS ", b"/JS(", b"/Launch", b"/EmbeddedFile")


class ContentScanner:
    """`shared.ports.Scanner` without a service."""

    def refuse(self, content: bytes, content_type: str) -> str | None:
        """See `Scanner`."""
        if _TEST_FILE in content:
            return "a scanner refuses it"
        if content_type == "application/pdf" and any(mark in content for mark in _ACTIVE):
            return "it is a PDF that does things"
        return None
