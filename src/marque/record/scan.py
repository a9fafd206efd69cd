"""Read an MCAP file from its start, as far as it is whole.

A log that was cut off has no index, and readers that look for one find nothing. Walking the records
finds every whole chunk; a chunk whose checksum is wrong is passed over and counted.
"""

import mmap
import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError, UnsupportedCompressionError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, Header, McapRecord, Message, Metadata, Schema
from mcap.stream_reader import breakup_chunk

from marque.core.errors import MarqueError
from marque.record.log_file import MAGIC

_HEAD = struct.Struct("<BQ")
_KNOWN = frozenset(Opcode)
# what reading damage raises; lengths may be beyond any index or any memory
_BROKEN = (
    McapError,
    ValueError,
    struct.error,
    OverflowError,
    MemoryError,
    zstandard.ZstdError,
)
_READERS: dict[int, Any] = {
    Opcode.HEADER: Header,
    Opcode.SCHEMA: Schema,
    Opcode.CHANNEL: Channel,
    Opcode.METADATA: Metadata,
    Opcode.ATTACHMENT: Attachment,
}


class Scan:
    """One walk over a file. `records()` first; then the rest tells how the file stood.

    Raises MarqueError when the file is missing, empty or no MCAP file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.whole = False  # footer and closing magic stand at the end
        self.read_bytes = 0  # whole records end here
        self.chunks = 0
        self.bad_chunks = 0
        self.header: Header | None = None

    def records(self) -> Iterator[McapRecord]:
        """Schemas, channels, messages, metadata and attachments, in file order."""
        try:
            with self.path.open("rb") as file:
                self.size = file.seek(0, 2)
                if self.size == 0:
                    raise MarqueError(f"{self.path} is empty; a drive log is an MCAP file")
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    if data[: len(MAGIC)] != MAGIC:
                        raise MarqueError(
                            f"{self.path} is not an MCAP file (it does not begin with its mark)"
                        )
                    yield from self._walk(data)
        except OSError as error:
            raise MarqueError(f"cannot read {self.path}: {error.strerror or error}") from error

    def _walk(self, data: mmap.mmap) -> Iterator[McapRecord]:
        at = len(MAGIC)
        self.read_bytes = at
        summary = False  # behind the data: only the footer matters
        while at + _HEAD.size <= self.size:
            opcode, length = _HEAD.unpack_from(data, at)
            start, at = at + _HEAD.size, at + _HEAD.size + length
            if at > self.size or opcode not in _KNOWN:
                return
            if opcode == Opcode.FOOTER:
                self.whole = data[at:] == MAGIC
                return
            if opcode == Opcode.DATA_END:
                summary = True
            if summary:
                continue
            try:
                found = self._read(opcode, data[start:at])
            except _BROKEN:
                if opcode != Opcode.CHUNK:
                    return
                self.bad_chunks += 1
            else:
                self.read_bytes = at
                yield from found

    def _read(self, opcode: int, body: bytes) -> list[McapRecord]:
        if opcode == Opcode.MESSAGE:
            return [Message.read(_stream(body), len(body))]
        if opcode == Opcode.CHUNK:
            self.chunks += 1
            return self._chunk(body)
        if opcode not in _READERS:
            return []
        record = _READERS[opcode].read(_stream(body))
        if isinstance(record, Header):
            self.header = record
            return []
        return [record]

    def _chunk(self, body: bytes) -> list[McapRecord]:
        try:
            chunk = Chunk.read(_stream(body))
            records: list[McapRecord] = breakup_chunk(chunk, validate_crc=True)
        except UnsupportedCompressionError as error:
            raise MarqueError(f"{self.path} cannot be read here: {error}") from error
        return records


def _stream(data: bytes) -> ReadDataStream:
    return ReadDataStream(BytesIO(data))
