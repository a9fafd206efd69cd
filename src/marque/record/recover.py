"""Finish a log that was cut off: everything up to its last whole chunk, indexed again."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from mcap.records import Attachment, Channel, Message, Metadata, Schema

from marque.core.errors import MarqueError
from marque.core.files import write_whole
from marque.record.log_file import LogFile
from marque.record.scan import Scan


@dataclass(frozen=True, slots=True)
class Recovery:
    """What came back, and what did not."""

    source: Path
    target: Path
    was_whole: bool
    messages: int
    ticks: int
    lost_bytes: int  # at the end of the source, behind the last whole record
    bad_chunks: int  # with a wrong checksum, left out


def recover(source: Path, target: Path) -> Recovery:
    """Write `target` from all that is whole in `source`; they may be the same file.

    A log that is whole is copied as it is. Raises MarqueError when the source is no MCAP file,
    holds nothing, or the target cannot be written; the target is then not touched.
    """
    scan = Scan(source)
    counts = [0, 0]
    write_whole(target, lambda aside: _copy(scan, source, aside, counts))
    return Recovery(
        source=source,
        target=target,
        was_whole=scan.whole,
        messages=counts[0],
        ticks=counts[1],
        lost_bytes=0 if scan.whole else scan.size - scan.read_bytes,
        bad_chunks=scan.bad_chunks,
    )


def _copy(scan: Scan, source: Path, aside: Path, counts: list[int]) -> None:
    file: LogFile | None = None
    copier: _Copier | None = None
    try:
        for record in scan.records():
            if file is None:
                header = scan.header
                file = LogFile(aside, header.profile if header else "")
                copier = _Copier(file, counts)
            assert copier is not None
            copier.add(record)
        if file is None or counts[0] == 0:
            raise MarqueError(f"{source} holds no whole message; nothing can be recovered")
    except BaseException:
        if file is not None:
            file.abandon()
        raise
    file.finish()
    if scan.whole and not scan.bad_chunks:
        shutil.copyfile(source, aside)


class _Copier:
    """Records into a new file; ids are given anew, because a cut file may repeat or skip some."""

    def __init__(self, file: LogFile, counts: list[int]) -> None:
        self._file = file
        self._counts = counts
        self._schemas = {0: 0}
        self._channels: dict[int, int] = {}
        self._tick_channel = -1

    def add(self, record: object) -> None:
        if isinstance(record, Message):
            self._message(record)
        elif isinstance(record, Schema):
            if record.id not in self._schemas:
                new = self._file.schema(record.name, record.encoding, record.data)
                self._schemas[record.id] = new
        elif isinstance(record, Channel):
            self._channel(record)
        elif isinstance(record, Metadata):
            self._file.metadata(record.name, record.metadata)
        elif isinstance(record, Attachment):
            self._file.attachment(record)

    def _message(self, record: Message) -> None:
        channel = self._channels.get(record.channel_id)
        if channel is None:
            return  # its channel stood in a chunk that is lost
        self._file.message(channel, record.log_time, record.data, record.sequence)
        self._counts[0] += 1
        self._counts[1] += record.channel_id == self._tick_channel

    def _channel(self, record: Channel) -> None:
        if record.id in self._channels or record.schema_id not in self._schemas:
            return
        self._channels[record.id] = self._file.channel(
            record.topic, record.message_encoding, self._schemas[record.schema_id], record.metadata
        )
        if record.topic == "/marque/tick":
            self._tick_channel = record.id
