from pathlib import Path

import pytest

from batchspec.render.inputs import Inputs, containers_in
from batchspec.render.model import DesiredUpload, LocalFile
from batchspec.render.symbolic import Json, symbol


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    files = []
    for name in ("a", "p/b"):
        path = tmp_path / name.replace("/", "-")
        path.write_text(name)
        files.append(LocalFile(name, path, 1))
    return Inputs({"u": DesiredUpload("u", "c", tuple(files), "", False, ())})


A: Json = ["c", "a", "0cc175b9c0f1b6a831c399e269772661"]
B: Json = ["c", "p/b", "bee0ab88e1ceef3bfe38e7d8ddf0ff85"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"x": symbol("blob_sas_url", "c", "a")}, [A]),
        (["--url=" + symbol("blob_url", "c", "a")], [A]),
        ([symbol("blob_url", "c", "none")], []),
        ({"storageContainerUrl": symbol("sas_url", "c", "rl")}, [A, B]),
        ({"storageContainerUrl": symbol("sas_url", "c", "rl"), "blobPrefix": "p/"}, [B]),
        (symbol("sas_url", "c", "r"), [A, B]),
        (symbol("sas_url", "c", "cw"), []),
        (symbol("container_url", "c"), []),
        (symbol("secret", "c"), []),
        ({"n": 1, "t": "text"}, []),
    ],
)
def test_a_body_depends_on_these_files(inputs: Inputs, body: Json, expected: list[Json]) -> None:
    found = [[place[0], place[1]] for place in inputs.of(body) if isinstance(place, list)]
    assert found == [[one[0], one[1]] for one in expected if isinstance(one, list)]


def test_the_md5_stands_beside_the_name(inputs: Inputs) -> None:
    assert inputs.of(symbol("blob_url", "c", "a")) == [A]


def test_the_containers_of_a_body() -> None:
    body: Json = [symbol("container_url", "a"), {"x": symbol("blob_url", "b", "n")}, symbol("secret", "c")]
    assert containers_in(body) == {"a", "b"}
