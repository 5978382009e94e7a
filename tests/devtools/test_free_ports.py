"""Ports that are taken are not handed out."""

from __future__ import annotations

import socket

from devtools.free_ports import RANGE, free_port, is_free


def test_a_port_that_is_listened_on_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        taken = server.getsockname()[1]
        assert not is_free(taken)
        assert free_port(preferred=taken) != taken


def test_the_preferred_port_is_returned_if_it_is_free() -> None:
    wanted = free_port()
    assert wanted in RANGE
    assert free_port(preferred=wanted) == wanted
