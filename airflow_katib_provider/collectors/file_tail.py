"""What a running program appends to a file."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK_BYTES = 1 << 16


class FileTail:
    """Follows a file that may not exist yet, may be emptied and may be replaced.

    A file that became shorter, or that is another file under the same name, is read from its start. Nothing
    is kept open between calls.

    :param path: the file to follow.
    :param chunk_bytes: how many bytes are in memory at a time.
    """

    def __init__(self, path: str | Path, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._path = os.fspath(path)
        self._chunk_bytes = chunk_bytes
        self._identity: tuple[int, int] | None = None
        self._offset = 0

    @property
    def exists(self) -> bool:
        """Whether there is a regular file now."""
        return os.path.isfile(self._path)

    def read_new(self) -> Iterator[bytes]:
        """Yield what was appended since the last call, chunk by chunk; nothing while there is no file.

        What is appended while the caller works on a chunk is left for the next call.

        :raises PermissionError: if the file may not be read.
        """
        if not self.exists:
            return
        with suppress(FileNotFoundError), open(self._path, "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            identity = (status.st_dev, status.st_ino)
            if identity != self._identity or status.st_size < self._offset:
                self._identity, self._offset = identity, 0
            file.seek(self._offset)
            while self._offset < status.st_size and (chunk := file.read(self._chunk_bytes)):
                self._offset += len(chunk)
                yield chunk
