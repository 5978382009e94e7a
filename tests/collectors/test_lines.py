from __future__ import annotations

import tracemalloc

import pytest

from airflow_katib_provider.collectors.lines import MAX_LINE_BYTES, LineAssembler


def assemble(*chunks: bytes, max_bytes: int = MAX_LINE_BYTES) -> list[str]:
    assembler = LineAssembler(max_bytes)
    return [line for chunk in chunks for line in assembler.feed(chunk)] + assembler.flush()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"", []),
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"\n\na\n\n", ["", "", "a", ""]),
        (b"10%\r20%\r30%\ndone\n", ["10%", "20%", "30%", "done"]),
        (b"a\r\r\nb", ["a", "", "b"]),
        ("größe=1\n日本\n".encode(), ["größe=1", "日本"]),
        (b"a\xffb\xc3\n", ["a\ufffdb\ufffd"]),
        (b"a\x0bb\x0cc\x1cd\xc2\x85e\n", ["a\x0bb\x0cc\x1cd\x85e"]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_lines_do_not_depend_on_where_chunks_end(text: bytes, lines: list[str], size: int) -> None:
    chunks = [text[start : start + size] for start in range(0, len(text), size)]
    assert assemble(*chunks) == lines
    assert assemble(*(part for chunk in chunks for part in (chunk, b""))) == lines


def test_a_line_comes_with_the_chunk_that_ends_it() -> None:
    assembler = LineAssembler()
    assert assembler.feed(b"lo") == []
    assert assembler.feed(b"ss=1\nacc") == ["loss=1"]
    assert assembler.feed(b"=2\r") == ["acc=2"]
    assert assembler.feed(b"\nend") == []
    assert assembler.flush() == ["end"]
    assert assembler.flush() == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"0123456789", "0123456789"),
        (b"0123456789x", "0123456789"),
        (b"loss=1 loss=2", "loss=1"),
        (b"loss=1\tloss=2", "loss=1"),
        (b"loss=12345 loss=2", "loss=12345"),
        (b"           x", "          "),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_long_line_is_cut_between_words(text: bytes, line: str, size: int) -> None:
    text += b"\nnext\n"
    chunks = (text[start : start + size] for start in range(0, len(text), size))
    assert assemble(*chunks, max_bytes=10) == [line, "next"]


def test_an_endless_line_costs_bounded_memory() -> None:
    assembler = LineAssembler()
    chunk = b"x" * 65536
    tracemalloc.start()
    try:
        for _ in range(2000):
            assert assembler.feed(chunk) == []
        (line,) = assembler.feed(b"\n")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(line) == MAX_LINE_BYTES
    assert peak < 8 * MAX_LINE_BYTES
