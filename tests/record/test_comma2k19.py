"""A recorded segment as our Episode; broken segments end in one clear sentence."""

import math

import numpy as np
import pytest

from bits import exact
from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.core.time import BASE_STEP_NS
from marque.maps.open_ground import open_ground
from marque.record.comma2k19.drive import ground_of, read_drive, write_drive
from marque.record.comma2k19.files import read_pose, read_segment
from marque.record.comma2k19.reference import forward_axis, reference_of
from marque.record.comma2k19.sensors import begin_s, lag_behind, origin_of, upright
from marque.record.deliveries import decode_delivery, encode_delivery, stamp_of
from marque.record.hashing import episode_hash
from marque.record.reader import read_episode
from marque.record.recover import recover
from marque.types.reading import Bus, Delivery, Gnss, Imu, ObjectList
from segments import empty_log, load, need_cars, segment_of, with_changed

CAN = "processed_log/CAN/raw_can"


@pytest.fixture(scope="module")
def segment(shared_data):
    need_cars()
    return segment_of(shared_data)


@pytest.fixture(scope="module")
def episode(segment):
    return read_drive(segment)[0]


def a_delivery() -> Delivery:
    n, yes = np.array([1.5, math.nan]), np.array([True, False])
    code = np.array([1, 0], dtype=np.int8)
    objects = ObjectList(
        3, -7, n, n + 1, n, yes, code, ~yes, n, n, n, yes, n, n, ~yes, n, yes, code
    )
    return Delivery(
        -1,
        (Imu(5, (1.0, -0.0, math.inf), (0.1, 0.2, 0.3)),) * 2,
        (Gnss(6, 1.0, 2.0, 3.0, -3.1, 2.5, 0.1),),
        (Bus(7, (1.0, 2.0, 3.0, 4.0), 0.25),),
        (objects,),
    )


@pytest.mark.parametrize("delivery", [a_delivery(), Delivery(12)])
def test_a_delivery_survives_its_bytes(delivery):
    data = encode_delivery(delivery)
    assert exact(decode_delivery(data)) == exact(delivery)
    assert stamp_of(data) == delivery.t_ns


def test_bytes_that_are_no_delivery_are_told():
    with pytest.raises(ValueError):
        decode_delivery(b"\x12\x00")


def test_open_ground_has_nothing_on_it():
    ground = open_ground("nowhere", "test", "")
    assert ground.lane_count == 0
    assert ground.crosswalk is not None and len(ground.walk_xy_m) == 0


def test_upright_is_the_smallest_turn():
    draw = np.random.default_rng(1)
    for gravity in draw.standard_normal((20, 3)) + np.array([0.0, 0.0, 2.0]):
        turn = upright(gravity)
        assert np.allclose(turn @ gravity / np.linalg.norm(gravity), (0.0, 0.0, 1.0))
        assert np.allclose(turn @ turn.T, np.eye(3))
        axis = np.array([gravity[1], -gravity[0], 0.0])
        assert np.allclose(turn @ axis, axis)


def test_a_known_lag_is_found_and_an_even_drive_tells_none():
    t = np.arange(0.0, 40.0, 0.01)
    wheels = 15.0 + 4.0 * np.sin(0.5 * t)
    at = np.arange(1.0, 39.0, 0.1)
    told = 1.01 * np.interp(at - 0.137, t, wheels)
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(at))
    assert lag_behind(at, told + noise, t, wheels) == pytest.approx(0.137, abs=0.004)
    assert lag_behind(at, 15.0 + noise, t, np.full(len(t), 15.0)) is None


def test_camera_axes_of_a_known_turn():
    quarter = math.sqrt(0.5)
    axis = forward_axis(np.array([[1.0, 0.0, 0.0, 0.0], [quarter, 0.0, 0.0, quarter]]))
    assert np.allclose(axis, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def test_the_minute_is_all_there(episode):
    assert len(episode.ticks) == 598
    stamps = [each.t_ns for each in episode.readings]
    assert np.all(np.diff(stamps) == BASE_STEP_NS)
    assert all(len(each.imu) == 1 for each in episode.readings)
    fixes = [fix for each in episode.readings for fix in each.gnss]
    assert len(fixes) > 570
    gravity = np.mean([each.imu[0].accel_mps2 for each in episode.readings], axis=0)
    assert gravity[2] == pytest.approx(9.8, abs=0.2) and abs(gravity[1]) < 0.2  # it errs so much
    for each in episode.readings:
        for fix in each.gnss:
            assert 0.1e9 < each.t_ns - fix.t_ns < 0.4e9  # a fix is late


def test_nothing_of_the_reference_is_in_the_readings(segment, tmp_path):
    """With another reference the readings stay the same, bit for bit."""
    name = "global_pose/frame_positions"
    other = with_changed(segment, tmp_path / "s", {name: load(segment, name) + 5.0})
    here, there = read_drive(segment)[0], read_drive(other)[0]
    assert here.ticks[10].world.ego.x_m != there.ticks[10].world.ego.x_m
    for one, two in zip(here.readings, there.readings, strict=True):
        assert encode_delivery(one) == encode_delivery(two)


def test_the_reference_moves_as_it_says(segment):
    pose = read_pose(segment)
    data = read_segment(segment)
    reference = reference_of(pose, origin_of(data), begin_s(data))
    dt = np.diff(reference.t_s)
    way = np.hypot(np.diff(reference.x_m), np.diff(reference.y_m)) / dt
    assert np.abs(way - 0.5 * (reference.speed_mps[1:] + reference.speed_mps[:-1])).max() < 0.1
    assert abs(math.degrees(reference.camera_yaw_rad)) < 2.0


def test_the_drive_survives_its_log(episode, segment, tmp_path):
    path = tmp_path / "drive.mcap"
    recorded = write_drive(path, episode)
    found = read_episode(path, ground_of(read_segment(segment)))
    assert recorded.episode_hash == episode_hash(episode) == episode_hash(found)
    assert len(found.readings) == len(episode.readings)
    assert exact(found.readings[500]) == exact(episode.readings[500])
    assert found.end == episode.end
    whole = recover(path, tmp_path / "again.mcap")
    assert whole.ticks == recorded.ticks


def test_a_changed_reading_changes_the_hash(episode):
    before = episode_hash(episode)
    kept = episode.readings[100]
    episode.readings[100] = Delivery(kept.t_ns)
    try:
        assert episode_hash(episode) != before
    finally:
        episode.readings[100] = kept


# Bad input -------------------------------------------------------------------------------------


def cut(segment, name, keep):
    return {name: load(segment, name)[:keep]}


BROKEN = {
    "missing": (lambda s: {f"{CAN}/data": None}, "data is missing"),
    "truncated": (lambda s: cut(s, f"{CAN}/data", 1000), "has 1000 entries for 135468 times"),
    "empty": (lambda s: cut(s, f"{CAN}/t", 0), "raw_can/t is empty"),
    "half a file": (
        lambda s: {f"{CAN}/t": (s / CAN / "t").read_bytes()[:5000]},
        "damaged or no NumPy array",
    ),
    "no array": (lambda s: {f"{CAN}/t": b"hello"}, "damaged or no NumPy array"),
    "another car": (
        lambda s: {f"{CAN}/address": load(s, f"{CAN}/address") + 1},
        "no Toyota RAV4's",
    ),
    "backwards": (
        lambda s: {"processed_log/IMU/gyro/t": load(s, "processed_log/IMU/gyro/t")[::-1]},
        "times run backwards",
    ),
    "not finite": (
        lambda s: {
            "processed_log/IMU/accelerometer/value": np.full((6256, 3), np.nan),
        },
        "not finite",
    ),
    "shape": (
        lambda s: {"processed_log/IMU/gyro/value": np.zeros((6256, 2))},
        "has the shape",
    ),
    "apart": (
        lambda s: {f"{CAN}/t": load(s, f"{CAN}/t") + 1e4},
        "overlap for 0.0 s",
    ),
    "no reference": (lambda s: {"global_pose/frame_times": None}, "frame_times is missing"),
    "reference elsewhen": (
        lambda s: {"global_pose/frame_times": load(s, "global_pose/frame_times") + 1e4},
        "does not overlap",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_segment_is_named(name, segment, tmp_path):
    change, sentence = BROKEN[name]
    broken = with_changed(segment, tmp_path / "s", change(segment))
    with pytest.raises(MarqueError, match=sentence):
        read_drive(broken)


def test_on_the_command_line_bad_input_is_one_sentence(tmp_path, capsys):
    out = tmp_path / "drive.mcap"
    for folder in (tmp_path / "nowhere", empty_log(tmp_path / "empty")):
        for words in (
            ["log", "import", str(folder), "-o", str(out)],
            ["prove", "replay", "--log", str(folder), "--picture", str(tmp_path / "p.png")],
        ):
            assert main(words) == 2
            said = capsys.readouterr()
            assert said.out == "" and len(said.err.strip().splitlines()) == 1
    assert not out.exists() and not (tmp_path / "p.png").exists()


def test_the_command_line_imports_and_describes(segment, tmp_path, capsys):
    out = tmp_path / "drive.mcap"
    assert main(["log", "import", str(segment), "-o", str(out)]) == 0
    assert "again: marque log import" in capsys.readouterr().out
    assert main(["log", "info", str(out)]) == 0
    said = capsys.readouterr().out
    assert "whole" in said and "2986 messages" in said and "open ground" in said
