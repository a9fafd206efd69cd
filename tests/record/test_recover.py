"""A log cut anywhere gives back all that is whole; what is no log is refused in a sentence."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer
from test_recorder import record
from typer.testing import CliRunner

from episodes import drive
from marque.cli.log import app
from marque.core.errors import MarqueError
from marque.record.reader import read_records
from marque.record.recover import recover


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "drive.mcap"
    record(path, drive(10.0, users=20))
    return path


def tick_ends(path: Path) -> list[int]:
    """File offset at which each tick is safe: the end of its chunk."""
    ends = []
    with path.open("rb") as file:
        reader = make_reader(file)
        summary = reader.get_summary()
        assert summary is not None
        tick = next(n for n, c in summary.channels.items() if c.topic == "/marque/tick")
        for index in summary.chunk_indexes:
            file.seek(index.message_index_offsets.get(tick, 0))
            if tick in index.message_index_offsets:
                size = int.from_bytes(file.read(15)[11:15], "little")
                ends += [index.chunk_start_offset + index.chunk_length] * (size // 16)
    return ends


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_cut_anywhere(whole: Path, data: st.DataObject) -> None:
    size = whole.stat().st_size
    ends = tick_ends(whole)
    assert len(ends) == 100
    at = data.draw(st.integers(1, size))
    cut = whole.with_name("cut.mcap")
    back = whole.with_name("back.mcap")
    back.unlink(missing_ok=True)
    cut.write_bytes(whole.read_bytes()[:at])
    expected = sum(1 for end in ends if end <= at)
    try:
        found = recover(cut, back)
    except MarqueError as error:
        assert expected == 0
        assert "nothing can be recovered" in str(error) or "not an MCAP file" in str(error)
        assert not back.exists()
        return
    assert found.ticks == expected
    assert found.was_whole == (at == size)
    with back.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None and summary.statistics is not None
        assert summary.statistics.message_count == found.messages
        assert sum(1 for _ in reader.iter_messages(topics=["/marque/tick"])) == expected


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_damage_in_the_middle_never_crashes(whole: Path, data: st.DataObject) -> None:
    content = bytearray(whole.read_bytes())
    at = data.draw(st.integers(8, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    hurt = whole.with_name("hurt.mcap")
    hurt.write_bytes(content)
    try:
        found = recover(hurt, whole.with_name("healed.mcap"))
    except MarqueError:
        return
    assert found.ticks <= 100
    assert read_records(whole.with_name("healed.mcap")).scan.whole


def test_a_length_beyond_any_index_is_damage_like_any_other(whole: Path) -> None:
    content = whole.read_bytes()
    hurt = whole.with_name("hurt.mcap")
    for at in range(40, 120):  # the header of the first chunk, with all its lengths
        hurt.write_bytes(content[:at] + bytes((content[at] ^ 128,)) + content[at + 1 :])
        try:
            found = recover(hurt, whole.with_name("healed.mcap"))
        except MarqueError:
            continue
        assert found.ticks <= 100


def test_recover_in_place(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "drive.mcap"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    before = recover(path, path)
    assert not before.was_whole
    after = recover(path, path)
    assert after.was_whole
    assert after.ticks == before.ticks > 0
    assert list(tmp_path.iterdir()) == [path]


def test_foreign_logs_come_back_too(tmp_path: Path) -> None:
    path = tmp_path / "other.mcap"
    with path.open("wb") as file:
        writer = Writer(file, chunk_size=2000, compression=CompressionType.NONE)
        writer.start(profile="ros2")
        schema = writer.register_schema("a/B", "ros2msg", b"int32 a")
        channel = writer.register_channel("/a", "cdr", schema, {"key": "value"})
        writer.add_attachment(1, 2, "notes.txt", "text/plain", b"hello")
        for k in range(500):
            writer.add_message(channel, k, k.to_bytes(4, "little") * 10, k, k)
        writer.finish()
    path.write_bytes(path.read_bytes()[:-3000])
    found = recover(path, tmp_path / "back.mcap")
    with (tmp_path / "back.mcap").open("rb") as file:
        reader = make_reader(file)
        assert reader.get_header().profile == "ros2"
        messages = list(reader.iter_messages())
        (attachment,) = reader.iter_attachments()
    assert len(messages) == found.messages > 400
    assert attachment.data == b"hello"
    assert messages[3][1].metadata == {"key": "value"}
    assert messages[3][2].data == (3).to_bytes(4, "little") * 10


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "No such file"), (b"", "is empty"), (b"hello, I am text\n", "not an MCAP file")],
)
@pytest.mark.parametrize("verb", ["info", "recover"])
def test_bad_files_end_in_one_sentence(
    tmp_path: Path, content: bytes | None, words: str, verb: str
) -> None:
    path = tmp_path / "x.mcap"
    if content is not None:
        path.write_bytes(content)
    result = CliRunner().invoke(app, [verb, str(path)])
    assert isinstance(result.exception, MarqueError)
    assert words in str(result.exception)
    assert str(path) in str(result.exception)
    assert not (tmp_path / "x.recovered.mcap").exists()


def test_info_and_recover_on_the_command_line(whole: Path, tmp_path: Path) -> None:
    import json

    path = tmp_path / "drive.mcap"
    shutil.copy(whole, path)
    facts_file = tmp_path / "info.json"
    result = CliRunner().invoke(app, ["info", str(path), "--json", str(facts_file)])
    assert result.exit_code == 0
    facts = json.loads(facts_file.read_text())
    assert next(iter(facts)) == "schema"
    assert facts["whole"] and facts["ticks"] == 100 and facts["end"] == "arrived"
    assert facts["drive"]["driver"] == "marque"

    path.write_bytes(whole.read_bytes()[:-1000])
    assert "cut off" in CliRunner().invoke(app, ["info", str(path)]).output
    result = CliRunner().invoke(app, ["recover", str(path)])
    assert result.exit_code == 0
    assert "recovered" in result.output
    assert read_records(tmp_path / "drive.recovered.mcap").messages["/marque/tick"] == 100


def test_recover_into_an_unwritable_place(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MarqueError, match="cannot write"):
        recover(whole, tmp_path / "file" / "out.mcap")
