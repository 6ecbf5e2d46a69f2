"""Uploads in two buckets: files on their way in, by presigned form, and what was kept, sealed.

A presigned POST lets a browser upload without passing through a function; its policy fixes the key,
the type and the size. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
"""

from typing import Any

from botocore.exceptions import ClientError

from shared.adapters.aws_errors import translated
from shared.personal_ports import UploadForm


class S3Uploads:
    """`shared.personal_ports.Uploads` on S3."""

    def __init__(self, client: Any, *, incoming: str, kept: str) -> None:
        self._client = client
        self._incoming = incoming
        self._kept = kept

    def form(self, path: str, *, content_type: str, size: int, lifetime_seconds: int) -> UploadForm:
        """See `Uploads.form`."""
        form = self._client.generate_presigned_post(
            self._incoming,
            path,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, size]],
            ExpiresIn=lifetime_seconds,
        )
        return UploadForm(form["url"], form["fields"])

    def incoming(self, path: str, *, most: int) -> bytes | None:
        """See `Uploads.incoming`."""
        return self._read(self._incoming, path, most)

    def remove(self, path: str) -> None:
        """See `Uploads.remove`."""
        with translated("uploads"):
            self._client.delete_object(Bucket=self._incoming, Key=path)

    def keep(self, path: str, sealed: bytes) -> None:
        """See `Uploads.keep`."""
        with translated("uploads"):
            self._client.put_object(Bucket=self._kept, Key=path, Body=sealed)

    def kept(self, path: str, *, most: int) -> bytes | None:
        """See `Uploads.kept`."""
        return self._read(self._kept, path, most)

    def _read(self, bucket: str, path: str, most: int) -> bytes | None:
        try:
            with translated("uploads"):
                answer = self._client.get_object(Bucket=bucket, Key=path, Range=f"bytes=0-{most}")
                content: bytes = answer["Body"].read()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "InvalidRange":  # S3's answer to a range of an empty object
                return b""
            # Without s3:ListBucket, S3 answers a missing key with 403.
            if code in ("NoSuchKey", "AccessDenied", "403", "404"):
                return None
            raise
        return content
