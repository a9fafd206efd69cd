"""CAN frames: cut out as opendbc's own parser does, and as the segment's own columns say."""

import numpy as np
import pytest

from marque.core.errors import MarqueError
from marque.record.comma2k19.files import read_decoded, read_frames
from marque.vehicle.can.codec import Frames, decode, load_dbc
from marque.vehicle.can.toyota import (
    CAR_BUS,
    CAR_DBC,
    FIRST_TRACK,
    RADAR_BUS,
    RADAR_DBC,
    decode_motion,
    decode_radar,
    platform,
)
from segments import need_cars, segment_of

OLD_RADAR_OFFSET_M = 2.7  # comma2k19 counts its radar distances from 2.7 m behind the sensor


@pytest.fixture(autouse=True)
def _cars():
    need_cars()


@pytest.fixture(scope="module")
def frames(shared_data):
    return read_frames(segment_of(shared_data))


def random_frames(address: int, bus: int, count: int, seed: int) -> Frames:
    draw = np.random.default_rng(seed)
    return Frames(
        np.arange(count) * 0.01,
        np.full(count, address, dtype=np.int64),
        np.full(count, bus, dtype=np.int64),
        draw.integers(0, 256, (count, 8), dtype=np.uint8),
    )


@pytest.mark.parametrize("dbc_name", [CAR_DBC, RADAR_DBC, "tesla_model3_party", "vw_mqb"])
def test_every_signal_as_opendbc_cuts_it(dbc_name):
    from opendbc.can.parser import get_raw_value

    dbc = load_dbc(dbc_name)
    checked = 0
    for message in list(dbc.name_to_msg.values())[:40]:
        if message.size > 8:
            continue
        plain = {n: s for n, s in message.sigs.items() if s.calc_checksum is None}
        made = random_frames(message.address, 3, 4, message.address)
        found = decode(made, _without_checksums(dbc, message.name, plain), message.name, 3)
        for name, signal in plain.items():
            for row, value in zip(made.data, found.signals[name], strict=True):
                raw = get_raw_value(bytes(row), signal)
                if signal.is_signed and raw >> (signal.size - 1) & 1:
                    raw -= 1 << signal.size
                assert value == pytest.approx(raw * signal.factor + signal.offset, rel=1e-12)
                checked += 1
    assert checked > 100


def _without_checksums(dbc, name, signals):
    """A DBC of one message whose frames are all intact."""
    from types import SimpleNamespace

    message = dbc.name_to_msg[name]
    bare = SimpleNamespace(address=message.address, size=message.size, sigs=signals)
    return SimpleNamespace(name_to_msg={name: bare})


def test_frames_with_a_wrong_checksum_are_left_out(frames):
    dbc = load_dbc(CAR_DBC)
    whole = decode(frames, dbc, "SPEED", CAR_BUS)
    data = frames.data.copy()
    mine = np.flatnonzero((frames.address == 0xB4) & (frames.bus == CAR_BUS))
    data[mine[:10], 6] ^= 0xFF
    broken = decode(Frames(frames.t_s, frames.address, frames.bus, data), dbc, "SPEED", CAR_BUS)
    assert (whole.damaged, broken.damaged) == (0, 10)
    assert len(broken.t_s) == len(whole.t_s) - 10


def test_motion_agrees_with_the_segments_own_columns(frames, shared_data):
    folder = segment_of(shared_data)
    motion = decode_motion(frames)
    t_s, wheels = read_decoded(folder, "wheel_speed")
    late = np.searchsorted(t_s, motion.t_s)
    assert np.array_equal(t_s[late], motion.t_s)
    assert np.abs(motion.wheel_mps - wheels[late]).max() < 1e-9
    assert len(t_s) - len(motion.t_s) <= 1  # before the first steering angle
    t_s, speed = read_decoded(folder, "speed")
    assert np.abs(motion.wheel_mps.mean(axis=1) - speed[late, 0]).max() < 1e-9
    t_s, degrees = read_decoded(folder, "steering_angle")
    newest = np.searchsorted(t_s, motion.t_s, side="right") - 1
    assert np.abs(np.degrees(motion.steering_wheel_rad) - degrees[newest]).max() < 1e-9


def test_radar_agrees_with_the_segments_own_columns(frames, shared_data):
    radar = decode_radar(frames)
    t_s, rows = read_decoded(segment_of(shared_data), "radar")
    order = np.lexsort((rows[:, 5], t_s))
    t_s, rows = t_s[order], rows[order]
    assert len(t_s) == len(radar.t_s) == 10100
    assert np.array_equal(t_s, radar.t_s)
    assert np.array_equal(rows[:, 5] - FIRST_TRACK, radar.slot)
    assert np.abs(rows[:, 0] - OLD_RADAR_OFFSET_M - radar.ahead_m).max() < 1e-9
    assert np.abs(rows[:, 1] - radar.left_m).max() < 1e-9
    assert np.abs(rows[:, 2] - radar.closing_mps).max() < 1e-9
    assert np.array_equal(rows[:, 6], radar.fresh)


def test_another_cars_log_is_named():
    strange = random_frames(0x123, CAR_BUS, 50, 1)
    with pytest.raises(
        MarqueError, match="no Toyota RAV4's: its WHEEL_SPEEDS telegrams are missing"
    ):
        decode_motion(strange)
    with pytest.raises(MarqueError, match="TRACK_A_0 telegrams are missing"):
        decode_radar(strange)


def test_telegrams_with_other_contents_are_another_cars(frames):
    data = frames.data.copy()
    data[frames.address == 0xB4, 6] ^= 0x55
    strange = Frames(frames.t_s, frames.address, frames.bus, data)
    with pytest.raises(MarqueError, match="SPEED telegrams come with wrong checksums"):
        decode_motion(strange)
    data = frames.data.copy()
    data[frames.address == 0xAA, ::2] += 60  # wheels that turn at another pace than the car
    strange = Frames(frames.t_s, frames.address, frames.bus, data)
    with pytest.raises(MarqueError, match="contradict each other"):
        decode_motion(strange)


def test_a_dbc_that_does_not_exist_is_named():
    with pytest.raises(MarqueError, match="opendbc has no DBC 'toyota_from_mars'"):
        load_dbc("toyota_from_mars")


def test_the_car_is_a_platform():
    assert platform().wheelbase_m == 2.65
    assert RADAR_BUS != CAR_BUS
