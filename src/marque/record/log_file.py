"""A growing MCAP file that is readable up to its last whole chunk at every moment.

The package `mcap` knows the records; what it leaves open is when they reach the disk and what
happens when the disk is full. Here every chunk goes out in one unbuffered write; if a write fails,
the file is cut back to its last whole chunk, and `finish` gives up further chunks at the end until
index and footer fit. (mcap.dev/spec, version 0.)
"""

import contextlib
import errno
import os
import zlib
from collections import Counter
from pathlib import Path

import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Attachment,
    AttachmentIndex,
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    Message,
    MessageIndex,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

MAGIC = b"\x89MCAP0\r\n"
CHUNK_BYTES = 65536


class LogFile:
    """Writer of one MCAP file. Any method that writes raises OSError when the disk refuses."""

    def __init__(self, path: Path, profile: str = "", library: str = "marque") -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        self._end = 0  # the file is whole up to here
        self._schemas: list[Schema] = []
        self._channels: list[Channel] = []
        self._chunks: list[tuple[ChunkIndex, Counter[int]]] = []
        self._metadata: list[MetadataIndex] = []
        self._attachments: list[AttachmentIndex] = []
        self._compressor = zstandard.ZstdCompressor(level=3)
        self._body = RecordBuilder()
        self._index: dict[int, list[tuple[int, int]]] = {}
        self._first_ns: int | None = None
        self._last_ns = 0
        try:
            self._write(MAGIC + _record(Header(profile, library)))
        except OSError:
            os.close(self._fd)
            raise

    def schema(self, name: str, encoding: str, data: bytes) -> int:
        """Register a schema; its id."""
        schema = Schema(id=len(self._schemas) + 1, name=name, encoding=encoding, data=data)
        self._schemas.append(schema)
        schema.write(self._body)
        return len(self._schemas)

    def channel(
        self, topic: str, encoding: str, schema_id: int, metadata: dict[str, str] | None = None
    ) -> int:
        """Register a channel; its id."""
        channel = Channel(
            id=len(self._channels) + 1,
            topic=topic,
            message_encoding=encoding,
            metadata=metadata or {},
            schema_id=schema_id,
        )
        self._channels.append(channel)
        channel.write(self._body)
        return len(self._channels)

    def message(self, channel: int, t_ns: int, data: bytes, sequence: int = 0) -> None:
        """Append a message; the chunk goes to disk when it is full."""
        self._index.setdefault(channel, []).append((t_ns, self._body.count))
        Message(channel, t_ns, data, t_ns, sequence).write(self._body)
        self._first_ns = t_ns if self._first_ns is None else min(self._first_ns, t_ns)
        self._last_ns = max(self._last_ns, t_ns)
        if self._body.count >= CHUNK_BYTES:
            self.end_chunk()

    def end_chunk(self) -> None:
        """Put what is in memory on disk as one chunk; nothing happens when there is none."""
        if not self._index:
            return
        body = self._body.end()
        data = self._compressor.compress(body)
        first_ns = self._first_ns or 0
        chunk = Chunk("zstd", data, self._last_ns, first_ns, zlib.crc32(body), len(body))
        head = _record(chunk)
        tail, offsets = b"", {}
        for channel, entries in self._index.items():
            offsets[channel] = self._end + len(head) + len(tail)
            tail += _record(MessageIndex(channel, entries))
        note = ChunkIndex(
            chunk_length=len(head),
            chunk_start_offset=self._end,
            compression="zstd",
            compressed_size=len(data),
            message_end_time=self._last_ns,
            message_index_length=len(tail),
            message_index_offsets=offsets,
            message_start_time=first_ns,
            uncompressed_size=len(body),
        )
        counts = Counter({channel: len(entries) for channel, entries in self._index.items()})
        self._open_chunk()
        self._write(head + tail)
        self._chunks.append((note, counts))

    def metadata(self, name: str, values: dict[str, str]) -> None:
        """A named table of texts, written at once."""
        self.end_chunk()
        data = _record(Metadata(metadata=values, name=name))
        start = self._end
        self._write(data)
        self._metadata.append(MetadataIndex(start, len(data), name))

    def attachment(self, attachment: Attachment) -> None:
        """A file inside the file, written at once."""
        self.end_chunk()
        data = _record(attachment)
        start = self._end
        self._write(data)
        self._attachments.append(
            AttachmentIndex(
                offset=start,
                length=len(data),
                log_time=attachment.log_time,
                create_time=attachment.create_time,
                data_size=len(attachment.data),
                name=attachment.name,
                media_type=attachment.media_type,
            )
        )

    def finish(self, end: dict[str, str] | None = None) -> None:
        """Index, footer, close. On a full disk chunks at the end make room, as few as are needed.

        `end` becomes the metadata record `marque.end`. Raises OSError when there is no room for the
        index even then: the file stays without one, readable by `recover`.
        """
        try:
            with contextlib.suppress(OSError):
                self.end_chunk()
            spare = max(4, len(self._chunks) // 8)
            give_up = 1
            while not self._try_finish(end):
                if give_up > min(spare, len(self._chunks)):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self._forget(give_up)
                spare -= give_up
                give_up *= 2
        finally:
            os.close(self._fd)

    def abandon(self) -> None:
        """Close without an index."""
        os.close(self._fd)

    def _try_finish(self, end: dict[str, str] | None) -> bool:
        start = self._end
        data = b""
        metadata = list(self._metadata)
        if end is not None:
            data = _record(Metadata(metadata=end, name="marque.end"))
            metadata.append(MetadataIndex(start, len(data), "marque.end"))
        data += _record(DataEnd(0))
        try:
            self._write(data + self._summary(start + len(data), metadata) + MAGIC)
        except OSError:
            return False
        return True

    def _forget(self, count: int) -> None:
        """Cut the last chunks off the file, and whatever was written after the first of them."""
        for note, _ in self._chunks[-count:]:
            self._end = min(self._end, note.chunk_start_offset)
        del self._chunks[-count:]
        self._metadata = [note for note in self._metadata if note.offset < self._end]
        self._attachments = [note for note in self._attachments if note.offset < self._end]
        os.ftruncate(self._fd, self._end)

    def _summary(self, start: int, metadata: list[MetadataIndex]) -> bytes:
        groups: list[tuple[int, list[McapRecord]]] = [
            (Opcode.SCHEMA, list(self._schemas)),
            (Opcode.CHANNEL, list(self._channels)),
            (Opcode.STATISTICS, [self._statistics(len(metadata))]),
            (Opcode.CHUNK_INDEX, [note for note, _ in self._chunks]),
            (Opcode.ATTACHMENT_INDEX, list(self._attachments)),
            (Opcode.METADATA_INDEX, list(metadata)),
        ]
        data, offsets = b"", b""
        for opcode, records in groups:
            part = b"".join(_record(record) for record in records)
            if part:
                offsets += _record(SummaryOffset(opcode, start + len(data), len(part)))
            data += part
        offset_start = start + len(data)
        data += offsets
        crc = zlib.crc32(data + _record(Footer(start, offset_start, 0))[:-4])
        return data + _record(Footer(start, offset_start, crc))

    def _statistics(self, metadata_count: int) -> Statistics:
        counts: Counter[int] = Counter()
        for _, per_chunk in self._chunks:
            counts.update(per_chunk)
        return Statistics(
            attachment_count=len(self._attachments),
            channel_count=len(self._channels),
            channel_message_counts=dict(counts),
            chunk_count=len(self._chunks),
            message_count=counts.total(),
            message_end_time=max((note.message_end_time for note, _ in self._chunks), default=0),
            message_start_time=min(
                (note.message_start_time for note, _ in self._chunks), default=0
            ),
            metadata_count=metadata_count,
            schema_count=len(self._schemas),
        )

    def _open_chunk(self) -> None:
        self._body = RecordBuilder()
        self._index = {}
        self._first_ns = None
        self._last_ns = 0

    def _write(self, data: bytes) -> None:
        """All of it or nothing: a refused write is cut off again."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.pwrite(self._fd, rest, self._end + len(data) - len(rest)) :]
        except OSError:
            os.ftruncate(self._fd, self._end)
            raise
        self._end += len(data)


def _record(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    data: bytes = builder.end()
    return data
