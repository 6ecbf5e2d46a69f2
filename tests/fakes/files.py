"""Uploads in memory, and a scanner that refuses what it is told to."""

from shared.personal_ports import UploadForm


class FakeUploads:
    """`Uploads` on two dictionaries: `arrived`, `sealed`."""

    def __init__(self) -> None:
        self.arrived: dict[str, bytes] = {}
        self.sealed: dict[str, bytes] = {}

    def form(self, path: str, *, content_type: str, size: int, lifetime_seconds: int) -> UploadForm:
        del size, lifetime_seconds
        return UploadForm("https://files.example", {"key": path, "Content-Type": content_type})

    def incoming(self, path: str, *, most: int) -> bytes | None:
        content = self.arrived.get(path)
        return None if content is None else content[: most + 1]

    def remove(self, path: str) -> None:
        self.arrived.pop(path, None)

    def keep(self, path: str, sealed: bytes) -> None:
        self.sealed[path] = sealed

    def kept(self, path: str, *, most: int) -> bytes | None:
        content = self.sealed.get(path)
        return None if content is None else content[: most + 1]


class FakeScanner:
    """`Scanner` that refuses a phrase."""

    def refuse(self, content: bytes, content_type: str) -> str | None:
        del content_type
        return "the scanner knows it" if b"INFECTED" in content else None
