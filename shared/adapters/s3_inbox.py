"""Mails that came in, as SES has put them into a bucket."""

from typing import Any

from botocore.exceptions import ClientError

from shared.adapters.aws_errors import translated

# Where the receipt rule puts messages; the rest of the name is SES's id of the message.
PREFIX = "inbound/"


class S3Inbox:
    """`shared.personal_ports.Inbox` on a bucket that forgets by itself."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, message: str, *, most: int) -> bytes | None:
        """See `Inbox`."""
        try:
            with translated("inbox"):
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=PREFIX + message, Range=f"bytes=0-{most}"
                )
                content: bytes = answer["Body"].read(most + 1)
                return content
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("NoSuchKey", "404"):
                return None
            if code in ("InvalidRange", "416"):
                return b""  # a range of an empty object
            raise

    def delete(self, message: str) -> None:
        """See `Inbox`."""
        with translated("inbox"):
            self._client.delete_object(Bucket=self._bucket, Key=PREFIX + message)
