"""The stager lays code out as SAM's build does, the same bytes each time, or says what is amiss."""

import io
import zipfile
from pathlib import Path

import pytest

from infrastructure.local.errors import LaunchError
from infrastructure.local.stage import packages, read_template, with_uploads

TEMPLATE = """
Resources:
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: shared/}
    Metadata: {BuildProperties: {ParentPackages: shared}}
  GreetFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/greet/, Role: !GetAtt Role.Arn, Layers: [!Ref Layer]}
    Metadata: {BuildProperties: {ParentPackages: functions.greet}}
  Queue: {Type: "AWS::SQS::Queue"}
"""
FILES = {
    "template.yaml": TEMPLATE,
    "functions/greet/handler.py": "",
    "functions/greet/__pycache__/handler.pyc": "",
    "functions/other/handler.py": "",
    "shared/domain/money.py": "",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def archives(source: Path) -> dict[str, bytes]:
    template = read_template(source / "template.yaml")
    return {each.logical_id: each.archive() for each in packages(template, source)}


def test_a_function_holds_its_own_folder_alone_and_the_layer_what_is_shared(source):
    names = {
        logical_id: zipfile.ZipFile(io.BytesIO(archive)).namelist()
        for logical_id, archive in archives(source).items()
    }
    assert names == {
        "Layer": ["python/shared/domain/money.py"],
        "GreetFunction": ["functions/greet/handler.py"],
    }


def test_the_same_sources_give_the_same_bytes(source):
    first = archives(source)
    (source / "functions/greet/handler.py").touch()
    assert archives(source) == first


def test_only_the_source_folders_of_the_template_are_replaced(source):
    template = read_template(source / "template.yaml")
    packaged = with_uploads(template, {"GreetFunction": "s3://b/1", "Layer": "s3://b/2"})
    assert packaged["Resources"]["GreetFunction"]["Properties"] == {
        "CodeUri": "s3://b/1",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Layers": [{"Ref": "Layer"}],
    }
    assert packaged["Resources"]["Queue"] == template["Resources"]["Queue"]
    assert template == read_template(source / "template.yaml")


def test_a_folder_that_is_not_there_is_named(source):
    (source / "functions/greet").rename(source / "functions/greeting")
    with pytest.raises(LaunchError, match=r"GreetFunction .*functions/greet, which is no folder"):
        archives(source)
