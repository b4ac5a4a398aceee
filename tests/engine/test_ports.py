"""A port stays the same as long as nobody else has it."""

import socket

from batchspec.engine.ports import usable_port


def test_a_port_that_is_free_is_kept() -> None:
    free = usable_port(None)
    assert usable_port(free) == free


def test_a_port_that_is_taken_is_replaced() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert usable_port(port) not in (port, 0)
