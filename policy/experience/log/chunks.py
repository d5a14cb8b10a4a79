"""MCAP files chunk by chunk, each held against its checksum, with limits on what a damaged or
hostile file may ask for."""

from __future__ import annotations

import errno
import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import EndOfFile, McapError
from mcap.reader import make_reader
from mcap.records import Chunk, McapRecord
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.summary import Summary
from rosbags.serde import SerdeError

from ..errors import DamagedError

# A chunk is one step: several cameras' frames. Past this, its length is damaged, or a bomb.
MAX_CHUNK = 1 << 28
FOOTER_TAIL = struct.Struct("<QQI8x")  # summary start, summary offsets, checksum, magic

# What the decoders raise on bytes that are not what was written.
DAMAGE = (
    *(McapError, SerdeError, struct.error, zstandard.ZstdError, RuntimeError),
    *(ValueError, LookupError, OverflowError),
)


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn whatever a decoder says of bad bytes into one `DamagedError`."""
    try:
        yield
    except DAMAGE as error:
        raise _damaged(path, error) from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a failing device, not a senseless offset
            raise
        raise _damaged(path, error) from error


class BoundedFile:
    """Refuses to read more than there is: a damaged length must not become an allocation."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    def read(self, size: int = -1) -> bytes:
        if size > self._size - self._file.tell():
            raise EndOfFile
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def records(file: BoundedFile) -> Iterator[McapRecord]:
    """Every record in file order, chunks unopened, the checksum of the whole checked on the way."""
    stream: Any = file
    return StreamReader(stream, emit_chunks=True, validate_crcs=True).records


def contents(chunk: Chunk) -> list[McapRecord]:
    """What is in a chunk, once its checksum holds."""
    size = chunk.uncompressed_size
    if chunk.compression == "zstd":
        size = max(size, zstandard.frame_content_size(chunk.data))
    elif chunk.compression == "lz4":
        told = lz4.frame.get_frame_info(chunk.data)["content_size"]  # 0 if it does not say
        size = max(size, told or MAX_CHUNK + 1)
    if size > MAX_CHUNK:
        raise McapError(f"a chunk of {size} bytes, of {MAX_CHUNK} allowed")
    return breakup_chunk(chunk, validate_crc=True)


def summary_of(file: BoundedFile) -> Summary | None:
    """The index at the file's end, its checksum checked (which the library leaves undone)."""
    end = file.seek(0, io.SEEK_END)
    file.seek(max(end - FOOTER_TAIL.size, 0))
    start, _, checksum = FOOTER_TAIL.unpack(file.read(FOOTER_TAIL.size))
    if start and checksum:
        file.seek(start)
        covered = file.read(end - start - 12)  # all but the checksum itself and the magic
        if zlib.crc32(covered) != checksum:
            raise McapError("the checksum of the summary does not hold")
    file.seek(0)
    stream: Any = file
    return make_reader(stream).get_summary()


def chunk_at(file: BoundedFile, offset: int) -> Chunk:
    file.seek(offset + 9)  # opcode and length
    stream: Any = file
    chunk: Chunk = Chunk.read(ReadDataStream(stream))
    return chunk


def _damaged(path: Path, error: Exception) -> DamagedError:
    return DamagedError(
        f"{path}: damaged or torn ({type(error).__name__}: {error}); "
        "run `python -m policy.experience repair` on its directory to keep what is whole"
    )
