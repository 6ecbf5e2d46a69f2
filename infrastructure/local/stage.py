"""Stage the code as `sam build` lays it out, and the template as `sam package` would send it.

Each function's archive holds its own folder under its parent packages and nothing else; the
layer's holds `python/shared/…`. Third-party code stays outside: locally it comes from the
application's environment, as in production from the layer that SAM builds from the same locked set.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infrastructure.local.errors import LaunchError

# ZIP's earliest instant: the same sources always give the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE = 0o644 << 16

# Resource type → (the property that names its source folder, where Lambda unpacks it).
STAGED = {
    "AWS::Serverless::Function": ("CodeUri", ""),
    "AWS::Serverless::LayerVersion": ("ContentUri", "python/"),
}


@dataclass(frozen=True, slots=True)
class Package:
    """The archive of one resource, before it is sent to S3."""

    logical_id: str
    property: str
    source: Path
    prefix: str

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield (name in the archive, file) in a fixed order."""
        for file in sorted(self.source.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield self.prefix + file.relative_to(self.source).as_posix(), file

    def archive(self) -> bytes:
        """Return the ZIP file's bytes."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, file in self.files():
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.external_attr = READABLE
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.read_bytes())
        return buffer.getvalue()

    def unpack(self, target: Path) -> None:
        """Lay the archive's content out in the folder `target`, as Lambda would."""
        with zipfile.ZipFile(io.BytesIO(self.archive())) as archive:
            archive.extractall(target)


class TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags, read into their long form."""


def _function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


TemplateLoader.add_multi_constructor("!", _function)


def read_template(file: Path) -> dict[str, Any]:
    """Return the template with its short tags in long form."""
    template: dict[str, Any] = yaml.load(file.read_text(), TemplateLoader)  # noqa: S506 -- a SafeLoader
    return template


def packages(template: Mapping[str, Any], root: Path) -> Iterator[Package]:
    """Yield the package of every function and layer that `template`, a file in `root`, declares.

    Raises LaunchError when a source folder is missing.
    """
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] in STAGED:
            name, base = STAGED[resource["Type"]]
            build = resource.get("Metadata", {}).get("BuildProperties", {})
            parents = build.get("ParentPackages", "").replace(".", "/")
            source = root / resource["Properties"][name]
            if not source.is_dir():
                raise LaunchError(
                    f"{logical_id} in the template names {source}, which is no folder."
                )
            yield Package(logical_id, name, source, f"{base}{parents}/" if parents else base)


def with_uploads(template: Mapping[str, Any], uploads: Mapping[str, str]) -> dict[str, Any]:
    """Return the template with each source folder replaced by its address in S3."""
    resources = dict(template["Resources"])
    for logical_id, address in uploads.items():
        resource = resources[logical_id]
        name, _ = STAGED[resource["Type"]]
        properties = {**resource["Properties"], name: address}
        resources[logical_id] = {**resource, "Properties": properties}
    return {**template, "Resources": resources}
