"""Customers' files: what they sent, kept in versions; what is on its way in; archives, for a week.

Every object stands under its customer's id, which is how all of a customer's are found again.
"""

from collections.abc import Iterator
from typing import Any

from shared.adapters.aws_errors import translated
from shared.domain.errors import UnavailableError


class S3Files:
    """`shared.personal_ports.Files` on S3."""

    def __init__(self, client: Any, *, content: str, incoming: str, archives: str) -> None:
        self._client = client
        self._content, self._archives = content, archives
        self._buckets = (content, incoming, archives)

    def put(self, name: str, content: bytes, *, customer: str, media_type: str) -> None:
        """See `Files.put`; the bucket's lifecycle ends the week."""
        with translated("files"):
            self._client.put_object(
                Bucket=self._archives,
                Key=_key(customer, name),
                Body=content,
                ContentType=media_type,
            )

    def link(self, name: str, *, customer: str, seconds: int) -> str:
        """See `Files.link`; it never outlives the credentials of the function that signs it."""
        place = {"Bucket": self._archives, "Key": _key(customer, name)}
        link: str = self._client.generate_presigned_url(
            "get_object", Params=place, ExpiresIn=seconds
        )
        return link

    def sealed(self, customer: str) -> Iterator[tuple[str, str, bytes]]:
        """See `Files.sealed`."""
        pages = self._client.get_paginator("list_object_versions")
        with translated("files"):
            for page in pages.paginate(Bucket=self._content, Prefix=_key(customer, "")):
                for one in page.get("Versions", []):
                    kind, _, record = one["Key"].removeprefix(_key(customer, "")).partition("/")
                    if one["IsLatest"] and record:
                        found = self._client.get_object(Bucket=self._content, Key=one["Key"])
                        yield kind, record, found["Body"].read()

    def delete(self, name: str, *, customer: str) -> int:
        """See `Files.delete`."""
        return self._delete(self._content, _key(customer, name))

    def delete_all(self, customer: str) -> int:
        """See `Files.delete_all`; uploads in parts that nobody has ended are gone as well."""
        for bucket in self._buckets:
            self._abort(bucket, _key(customer, ""))
        return sum(self._delete(bucket, _key(customer, "")) for bucket in self._buckets)

    def _abort(self, bucket: str, prefix: str) -> None:
        pages = self._client.get_paginator("list_multipart_uploads")
        with translated("files"):
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                for one in page.get("Uploads", []):
                    self._client.abort_multipart_upload(
                        Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"]
                    )

    def _delete(self, bucket: str, prefix: str) -> int:
        deleted = 0
        pages = self._client.get_paginator("list_object_versions")
        with translated("files"):
            for page in pages.paginate(Bucket=bucket, Prefix=prefix):
                found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                if not found:
                    continue
                objects = [{"Key": o["Key"], "VersionId": o["VersionId"]} for o in found]
                answer = self._client.delete_objects(
                    Bucket=bucket, Delete={"Objects": objects, "Quiet": True}
                )
                if answer.get("Errors"):
                    raise UnavailableError("files: some were not deleted")
                deleted += len(objects)
        return deleted


def _key(customer: str, name: str) -> str:
    return f"{customer}/{name}"
