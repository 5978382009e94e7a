from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airflow_katib_provider.collectors.file_tail import FileTail

if TYPE_CHECKING:
    from pathlib import Path


def read(tail: FileTail) -> bytes:
    return b"".join(tail.read_new())


def test_it_yields_what_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "metrics.log"
    tail = FileTail(path)
    with path.open("ab", buffering=0) as file:
        file.write(b"loss=1\nlo")
        assert read(tail) == b"loss=1\nlo"
        assert read(tail) == b""
        file.write(b"ss=2\n")
        assert read(tail) == b"ss=2\n"


def test_it_survives_absence_late_creation_and_removal(tmp_path: Path) -> None:
    path = tmp_path / "later" / "metrics.log"
    tail = FileTail(path)
    assert not tail.exists
    assert read(tail) == b""
    path.parent.mkdir()
    assert read(tail) == b""
    path.write_bytes(b"a")
    assert tail.exists
    assert read(tail) == b"a"
    path.unlink()
    assert read(tail) == b""


def test_a_truncated_file_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "metrics.log"
    tail = FileTail(path)
    path.write_bytes(b"first run\n")
    assert read(tail) == b"first run\n"
    path.write_bytes(b"again\n")
    assert read(tail) == b"again\n"
    path.write_bytes(b"")
    assert read(tail) == b""
    path.write_bytes(b"anew\n")
    assert read(tail) == b"anew\n"


def test_a_replaced_file_is_read_from_its_start(tmp_path: Path) -> None:
    path, other = tmp_path / "metrics.json", tmp_path / "metrics.tmp"
    tail = FileTail(path)
    path.write_bytes(b"one\n")
    assert read(tail) == b"one\n"
    other.write_bytes(b"one\ntwo\n")
    other.replace(path)
    assert read(tail) == b"one\ntwo\n"


def test_chunks_are_bounded_and_a_reader_may_stop_between_them(tmp_path: Path) -> None:
    path = tmp_path / "metrics.log"
    path.write_bytes(b"0123456789")
    tail = FileTail(path, chunk_bytes=4)
    assert next(tail.read_new()) == b"0123"
    assert list(tail.read_new()) == [b"4567", b"89"]


def test_a_call_ends_though_the_file_grows_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "metrics.log"
    path.write_bytes(b"ab")
    tail = FileTail(path, chunk_bytes=2)
    seen = []
    for chunk in tail.read_new():
        seen.append(chunk)
        with path.open("ab") as file:
            file.write(b"cd")
    assert seen == [b"ab"]
    assert read(tail) == b"cd"


def test_what_is_no_regular_file_is_not_there(tmp_path: Path) -> None:
    directory, pipe = tmp_path / "directory", tmp_path / "pipe"
    directory.mkdir()
    os.mkfifo(pipe)
    for path in (directory, pipe):
        tail = FileTail(path)
        assert not tail.exists
        assert read(tail) == b""
