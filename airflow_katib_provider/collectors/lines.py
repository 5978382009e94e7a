"""From the bytes of a running program to complete lines of text."""

from __future__ import annotations

MAX_LINE_BYTES = 1 << 20
"""Where a line is cut: nothing a metric is printed in is longer than 1 MiB."""


class LineAssembler:
    """Puts lines together from chunks that may end anywhere.

    A carriage return ends a line as well, so that every state of a progress bar is a line. Bytes that are not
    UTF-8 become U+FFFD. Of a line longer than ``max_bytes`` the first words that fit are kept, so that memory
    is bounded and a number is not cut in two.

    :param max_bytes: where a line is cut.
    """

    def __init__(self, max_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._pending = bytearray()
        self._after_return = False

    def feed(self, chunk: bytes) -> list[str]:
        """Take the next bytes and return the lines that they complete, without their line ends."""
        if self._after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # the second half of a \r\n
            self._after_return = False
        if not chunk:
            return []
        self._after_return = chunk.endswith(b"\r")
        pieces = chunk.splitlines()
        rest = b"" if chunk.endswith((b"\n", b"\r")) else pieces.pop()
        lines = []
        for piece in pieces:
            self._keep(piece)
            lines.append(self._take())
        self._keep(rest)
        return lines

    def flush(self) -> list[str]:
        """Return the last line where the output ended without a line end."""
        return [self._take()] if self._pending else []

    def _keep(self, piece: bytes) -> None:
        # One byte more than the limit tells _take() that something was left out.
        self._pending += piece[: self._max_bytes + 1 - len(self._pending)]

    def _take(self) -> str:
        line = bytes(self._pending)
        self._pending.clear()
        if len(line) > self._max_bytes:
            end = max(line.rfind(b" "), line.rfind(b"\t"))
            line = line[: end if end > 0 else self._max_bytes]
        return line.decode("utf-8", "replace")
