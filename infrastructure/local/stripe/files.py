"""Files: what is uploaded as dispute evidence.

The SDK sends them to another host, files.stripe.com; here both are this server.
"""

from infrastructure.local.stripe.errors import invalid, unmodelled
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

URL = "/v1/files"
# What evidence may be, by its first bytes (documentation: PDF, JPEG or PNG, up to 5 MB).
TYPES = {b"%PDF-": "pdf", b"\x89PNG\r\n": "png", b"\xff\xd8\xff": "jpg"}
BYTES_MAX = 5_000_000


@endpoint("POST", URL, "file purpose")
def create_file(store: Store, params: Json) -> Json:
    """Keeps an upload; texts of the refusals unverified."""
    if params["purpose"] != "dispute_evidence":
        raise unmodelled(f"files for {params['purpose']}")
    if not isinstance(params["file"], dict) or "content" not in params["file"]:
        raise invalid("You must upload the file as multipart/form-data.", param="file")
    content, name = params["file"]["content"].encode("latin-1"), params["file"]["filename"]
    kind = next((kind for begin, kind in TYPES.items() if content.startswith(begin)), None)
    if kind is None:
        raise invalid("The file must be a PDF, a JPEG or a PNG.", param="file")
    if len(content) > BYTES_MAX:
        raise invalid(f"The file must not exceed {BYTES_MAX} bytes.", param="file")
    file = store.add("file", filename=name, purpose=params["purpose"], size=len(content), type=kind)
    file["url"] = f"https://files.stripe.com{URL}/{file['id']}/contents"
    store.private[file["id"]] = content
    return file


def pages(store: Store, file: Json) -> int:
    """How many pages it has: of a PDF those that it names, of an image one."""
    if file["type"] != "pdf":
        return 1
    content: bytes = store.private[file["id"]]
    return max(1, content.count(b"/Type /Page") - content.count(b"/Type /Pages"))
