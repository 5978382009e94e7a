"""Ports on the loopback interface that nobody listens on."""

from __future__ import annotations

import random
import socket

RANGE = range(20_000, 32_000)
"""Below the range that systems take the ports of outgoing connections from."""


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(preferred: int | None = None) -> int:
    """Return a port of 127.0.0.1 that is free now.

    :param preferred: returned if it is free itself.
    :raises OSError: if no port is free.
    """
    if preferred is not None and is_free(preferred):
        return preferred
    for port in random.SystemRandom().sample(RANGE, 200):
        if is_free(port):
            return port
    raise OSError("no free port on 127.0.0.1")
