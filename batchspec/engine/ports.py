"""Ports on the loopback address, which stay the same from one start to the next as far as possible."""

import socket

HOST = "127.0.0.1"


def usable_port(wanted: int | None) -> int:
    """The wanted port if nobody listens there, else a free one."""
    if wanted is not None and _is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections of an earlier run that linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
