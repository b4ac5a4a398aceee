from pathlib import Path

import pytest

from batchspec.render.filters import Unusable
from batchspec.render.model import LocalFile
from batchspec.render.names import Container, File, listed
from batchspec.render.symbolic import symbol


def test_a_file_has_its_parts(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("abc")
    local = LocalFile("p/a.b.txt", tmp_path / "f", 3)
    file = File(local, "input", "in/f")
    assert {part: getattr(file, part) for part in File.PARTS} == {
        "name": "p/a.b.txt",
        "stem": "a.b",
        "suffix": ".txt",
        "path": "in/f",
        "size": 3,
        "md5": "900150983cd24fb0d6963f7d28e17f72",
        "url": symbol("blob_url", "input", "p/a.b.txt"),
    }
    assert listed(file) == ("input", local)


def test_a_container_gives_addresses_as_symbols() -> None:
    container = Container("out_put", "run-out-put")
    assert container.name == "run-out-put"
    assert container.url == symbol("container_url", "out_put")
    assert container.sas_url("wc") == container.sas_url("cw") == symbol("sas_url", "out_put", "cw")


@pytest.mark.parametrize("permissions", ["", "x y", "z", "cw;"])
def test_permissions_are_letters_that_azure_knows(permissions: str) -> None:
    with pytest.raises(Unusable):
        Container("c", "c").sas_url(permissions)
