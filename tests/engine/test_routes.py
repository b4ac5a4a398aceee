"""The route table against the list of the service's routes, where that list is present."""

import re
from pathlib import Path

import pytest

from tests.engine.served import Served

ROUTES = Path(__file__).parents[3] / "shared" / "openapi" / "routes-2025-06-01.txt"
LINE = re.compile(r"^(\S+) \| (\S+) (\S+) \| ([\d, ]+) \|")


def operations() -> list[tuple[str, str]]:
    lines = ROUTES.read_text().splitlines()
    return [(found[2], found[3]) for line in lines if (found := LINE.match(line))]


@pytest.mark.skipif(not ROUTES.is_file(), reason=f"{ROUTES} is not there")
def test_every_route_of_the_service_is_known(served: Served) -> None:
    assert len(operations()) > 70
    unknown = []
    for method, path in operations():
        answer = served.request(method, re.sub(r"\{\w+\}", "x", path), None if method in ("GET", "HEAD") else {})
        if answer.status == 405 or (answer.content and answer.json.get("code") == "ResourceNotFound"):
            unknown.append(f"{method} {path}")
    assert unknown == []
