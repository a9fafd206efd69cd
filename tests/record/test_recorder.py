"""The log as a whole: equal when read back, alive after kills, honest about a full disk."""

import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mcap.reader import make_reader

from episodes import drive, empty_episode, ticks, town
from marque.core.errors import MarqueError
from marque.record import writer
from marque.record.hashing import episode_hash
from marque.record.reader import read_episode, read_records
from marque.record.recover import recover
from marque.record.writer import Recorder
from marque.types.episode import Episode

TESTS = Path(__file__).resolve().parents[1]


def record(path: Path, episode: Episode) -> writer.Recorded:
    recorder = Recorder(path, episode)
    for tick in episode.ticks:
        recorder.append(tick)
    for event in episode.events:
        recorder.event(event)
    return recorder.close(episode.end)


def test_read_back_equal(tmp_path: Path) -> None:
    episode = drive(12.0, users=25)
    recorded = record(tmp_path / "drive.mcap", episode)
    back = read_episode(tmp_path / "drive.mcap", episode.road_map)
    assert recorded.ticks == len(back.ticks) == 120
    assert recorded.dropped == 0
    assert back.end == "arrived"
    assert [dataclasses.asdict(e) for e in back.events] == [
        dataclasses.asdict(e) for e in episode.events
    ]
    assert dataclasses.asdict(back.platform) == dataclasses.asdict(episode.platform)
    assert recorded.episode_hash == episode_hash(episode) == episode_hash(back)
    told = read_records(tmp_path / "drive.mcap").metadata["marque.end"]
    assert told["episode_hash"] == recorded.episode_hash


def test_foreign_reader_takes_it_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "drive.mcap"
    record(path, drive(5.0))
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None and summary.statistics is not None
        counts = {
            summary.channels[n].topic: count
            for n, count in summary.statistics.channel_message_counts.items()
        }
        times = [message.log_time for _, _, message in reader.iter_messages(topics=["/scene"])]
        seen = [s.name for s, _, _ in reader.iter_messages()]
    assert counts["/marque/tick"] == counts["/tf"] == counts["/scene"] == counts["/state"] == 50
    assert counts["/map"] == 1
    assert times == [k * 100_000_000 for k in range(50)]
    assert {"foxglove.SceneUpdate", "foxglove.FrameTransform", "foxglove.Log"} <= set(seen)
    assert len(seen) == summary.statistics.message_count


def test_hash_sees_every_change() -> None:
    episode = drive(2.0)
    first = episode_hash(episode)
    assert first == episode_hash(drive(2.0))
    assert first != episode_hash(drive(2.0, seed=2))
    tick = episode.ticks[7]
    ego = dataclasses.replace(tick.world.ego, speed_mps=tick.world.ego.speed_mps + 1e-12)
    episode.ticks[7] = dataclasses.replace(tick, world=dataclasses.replace(tick.world, ego=ego))
    assert first != episode_hash(episode)
    episode.ticks[7] = tick
    assert first == episode_hash(episode)
    episode.ticks[7], episode.ticks[8] = episode.ticks[8], tick
    assert first != episode_hash(episode)
    episode.ticks[7], episode.ticks[8] = tick, episode.ticks[7]
    episode.events.pop()
    assert first != episode_hash(episode)


def test_other_map_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "drive.mcap"
    record(path, drive(1.0))
    with pytest.raises(MarqueError, match="driven on map 'tiny'"):
        read_episode(path, town(blocks=3))


PROGRAM = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from episodes import empty_episode, ticks
from marque.record.writer import Recorder
recorder = Recorder(Path(sys.argv[1]), empty_episode())
print(recorder._child.pid, flush=True)
for k, tick in enumerate(ticks(empty_episode(), 100000, 40, 1)):
    recorder.append(tick)
    if not recorder._queue:
        print(k + 1, flush=True)  # all of it has left this process
    time.sleep(60.0 if k + 1 == int(sys.argv[2]) else 0.005)
"""


def start_drive(path: Path, pause_at: int) -> tuple["subprocess.Popen[str]", int]:
    program = PROGRAM.format(tests=str(TESTS))
    drive = subprocess.Popen(
        [sys.executable, "-c", program, str(path), str(pause_at)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert drive.stdout is not None
    return drive, int(drive.stdout.readline())


def follow(drive: "subprocess.Popen[str]", count: int) -> None:
    assert drive.stdout is not None
    while int(drive.stdout.readline()) < count:
        pass


@pytest.mark.parametrize("count", [60, 400])
def test_killing_both_processes_keeps_98_percent(tmp_path: Path, count: int) -> None:
    path = tmp_path / "drive.mcap"
    drive, log_pid = start_drive(path, count)
    follow(drive, count)
    time.sleep(1.0)  # what was handed over reaches the file; the open chunk does not
    os.kill(log_pid, signal.SIGKILL)
    drive.kill()
    drive.communicate()
    found = recover(path, tmp_path / "back.mcap")
    assert not found.was_whole
    assert 0.98 * count <= found.ticks <= count
    back = read_episode(tmp_path / "back.mcap", empty_episode().road_map)
    assert len(back.ticks) == found.ticks
    assert back.end == "cut off"
    with (tmp_path / "back.mcap").open("rb") as file:
        indexed = sum(1 for _ in make_reader(file).iter_messages(topics=["/marque/tick"]))
    assert indexed == found.ticks


def test_killing_the_drive_alone_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "drive.mcap"
    drive, log_pid = start_drive(path, 100000)
    follow(drive, 120)
    drive.kill()
    out, _ = drive.communicate()
    handed_over = max([120, *(int(line) for line in out.split())])
    wait_for_end(log_pid)
    found = read_records(path)
    assert found.scan.whole
    assert found.messages["/marque/tick"] >= handed_over
    assert found.metadata["marque.end"]["end"] == "cut off"


def wait_for_end(pid: int) -> None:
    """Of a process that is not our child."""
    for _ in range(600):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the log writer did not end")


def test_killed_writer_is_reported_and_the_file_healed(tmp_path: Path) -> None:
    episode = empty_episode()
    path = tmp_path / "drive.mcap"
    recorder = Recorder(path, episode)
    many = ticks(episode, 3000, 40, 1)
    for _ in range(100):
        recorder.append(next(many))
    while not path.stat().st_size > 100_000:
        recorder.append(next(many))
    os.kill(recorder._child.pid, signal.SIGKILL)
    with pytest.raises(MarqueError, match="log writer was killed"):
        for tick in many:
            recorder.append(tick)
    assert read_records(path).scan.whole
    assert read_records(path).messages["/marque/tick"] > 0
    with pytest.raises(MarqueError, match="closed"):
        recorder.append(episode.ticks[0] if episode.ticks else next(ticks(episode, 1, 3, 1)))
    recorder.close("stopped")  # no second complaint


@pytest.mark.parametrize("limit", [40_000, 300_000, 1_000_000])
def test_full_disk_ends_the_drive_with_a_readable_log(tmp_path: Path, limit: int) -> None:
    """A limit on file size refuses writes as a full disk does (EFBIG instead of ENOSPC)."""
    episode = empty_episode()
    path = tmp_path / "drive.mcap"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        recorder = Recorder(path, episode)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with pytest.raises(MarqueError, match=r"cannot write .*drive\.mcap: File too large"):
        for tick in ticks(episode, 4000, 40, 1):
            recorder.append(tick)
        recorder.close("arrived")
    assert path.stat().st_size <= limit
    found = read_records(path)
    assert found.scan.whole
    assert found.metadata["marque.end"]["error"] == "File too large"
    back = read_episode(path, episode.road_map)
    assert back.end == "cut off"
    assert len(back.ticks) == found.messages["/marque/tick"]
    if limit >= 300_000:
        assert path.stat().st_size >= 0.8 * limit
        assert len(back.ticks) > 10


def test_unwritable_place_is_said_at_once(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("here")
    with pytest.raises(MarqueError, match="cannot write"):
        Recorder(blocker / "drive.mcap", empty_episode())
    (tmp_path / "drive.mcap").mkdir()
    with pytest.raises(MarqueError, match="directory"):
        Recorder(tmp_path / "drive.mcap", empty_episode())


def test_slow_disk_drops_ticks_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "QUEUE_BYTES", 200_000)
    episode = empty_episode()
    recorder = Recorder(tmp_path / "drive.mcap", episode)
    os.kill(recorder._child.pid, signal.SIGSTOP)
    many = list(ticks(episode, 300, 40, 1))
    for tick in many:
        recorder.append(tick)  # never waits
    os.kill(recorder._child.pid, signal.SIGCONT)
    recorded = recorder.close("arrived")
    found = read_records(tmp_path / "drive.mcap")
    assert recorded.dropped > 0
    assert recorded.ticks == 300
    assert found.messages["/marque/tick"] == 300 - recorded.dropped
    assert found.metadata["marque.end"]["ticks_dropped"] == str(recorded.dropped)
    episode.ticks.extend(many)
    episode.end = "arrived"
    assert recorded.episode_hash == episode_hash(episode)


def test_a_drive_that_is_over_is_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "QUEUE_BYTES", 50_000)
    episode = empty_episode()
    recorder = Recorder(tmp_path / "drive.mcap", episode, waits=True)
    for tick in ticks(episode, 300, 40, 1):
        recorder.append(tick)
    assert recorder.close("arrived").dropped == 0
    assert read_records(tmp_path / "drive.mcap").messages["/marque/tick"] == 300


def test_failure_inside_the_drive_closes_the_log(tmp_path: Path) -> None:
    path = tmp_path / "drive.mcap"
    episode = empty_episode()
    with pytest.raises(KeyboardInterrupt), Recorder(path, episode) as recorder:
        for tick in ticks(episode, 5, 3, 1):
            recorder.append(tick)
        raise KeyboardInterrupt
    found = read_records(path)
    assert found.scan.whole
    assert found.metadata["marque.end"]["end"] == "interrupted"
    assert json.loads(found.header)["driver"] == "marque"
