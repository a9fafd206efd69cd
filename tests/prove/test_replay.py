"""The suite `replay`: the real minute within its bars, and its parts on made-up input."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.prove.replay.lead import LeadMemory, follow, lead_of
from marque.prove.replay.suite import judge, replay, truth_of
from marque.record.comma2k19.drive import read_drive
from marque.record.comma2k19.sensors import camera_forward_m
from marque.stack.perception.localise import Mounting
from marque.types.codes import Integrity
from marque.types.reading import ObjectList
from segments import need_cars, segment_of


def cycle(t_s: float, targets: list[tuple[float, float, float]]) -> ObjectList:
    """One radar cycle: x, y, speed over ground of each target."""
    n = len(targets)
    x, y, rate = np.array(targets, dtype=float).reshape(n, 3).T.copy()
    no, zero, code = np.zeros(n, dtype=bool), np.zeros(n), np.zeros(n, dtype=np.int8)
    return ObjectList(
        0, round(t_s * 1e9), x, y, zero + 1.0, no, code, no, zero, zero, zero, no, zero, zero,
        ~no, rate, no, code,
    )  # fmt: skip


def watch(memory: LeadMemory, begin_s: float, seconds: float, targets, speed=15.0) -> LeadMemory:
    for i in range(round(seconds * 20)):
        t = begin_s + 0.05 * i
        memory = follow(memory, cycle(t, targets(0.05 * i)), speed, 0.0)
    return memory


def test_the_nearest_mover_ahead_leads():
    memory = watch(
        LeadMemory(), 0.0, 2.0,
        lambda t: [(40.0 - 2.0 * t, 0.3, 13.0), (25.0 - 15.0 * t, 0.0, 0.0), (20.0, 3.6, 15.0)],
    )  # fmt: skip
    lead = lead_of(memory)
    assert lead is not None
    assert lead.x_m == pytest.approx(36.1, abs=0.3)
    assert lead.speed_mps == pytest.approx(13.0, abs=0.1)


def test_a_lead_that_brakes_is_followed_with_its_acceleration():
    memory = watch(LeadMemory(), 0.0, 1.0, lambda t: [(50.0, 0.0, 15.0)])
    number = memory.lead
    memory = watch(memory, 1.0, 3.0, lambda t: [(50.0 - t * t, 0.0, 15.0 - 2.0 * t)])
    lead = lead_of(memory)
    assert lead is not None and lead.number == number
    assert lead.accel_mps2 == pytest.approx(-2.0, abs=0.7)


def test_who_is_gone_no_longer_leads():
    memory = watch(LeadMemory(), 0.0, 1.0, lambda t: [(50.0, 0.0, 15.0)])
    assert lead_of(memory) is not None
    memory = watch(memory, 1.0, 1.0, lambda t: [])
    assert lead_of(memory) is None and memory.tracks == ()


def test_a_cycle_that_is_not_newer_changes_nothing():
    memory = watch(LeadMemory(), 0.0, 1.0, lambda t: [(50.0, 0.0, 15.0)])
    assert follow(memory, cycle(0.5, [(10.0, 0.0, 3.0)]), 15.0, 0.0) is memory


@pytest.fixture(scope="module")
def episode(shared_data):
    need_cars()
    return read_drive(segment_of(shared_data))[0]


def test_a_drive_without_readings_cannot_be_replayed(episode):
    bare = replace(episode, readings=[])
    with pytest.raises(MarqueError, match="no readings"):
        replay(bare, Mounting())


def test_a_drive_without_satellites_is_said_to_be_unknown(episode):
    deaf = replace(episode, readings=[replace(d, gnss=()) for d in episode.readings[:200]])
    with pytest.raises(MarqueError, match="never knew where it was"):
        replay(deaf, Mounting())


def test_nothing_said_is_nothing_judged(episode):
    assert judge([], truth_of(episode)) is None


def test_the_real_minute_keeps_its_bars(episode, monkeypatch):
    """The whole minute with satellites, and two outages instead of all."""
    monkeypatch.setattr("marque.prove.replay.suite.EVERY_S", 24.0)
    monkeypatch.setattr("marque.prove.replay.suite.LONG_WARMS_S", (45.0,))
    report, curves = replay(episode, Mounting(camera_forward_m()))
    assert report["passed"]
    assert report["speed_rms_mps"] < 0.06
    assert report["yaw_rate_rms_radps"] < 0.003
    assert report["position_rms_m"] < 0.7
    assert report["position_after_10s_worst_m"] < 2.0
    assert report["known_share"] > 0.99
    assert report["within_3_sigma_share"] > 0.99
    assert report["lead_share"] > 0.9
    assert curves.t_s.shape == curves.asked_mps2.shape
    assert np.isfinite(curves.lead_x_m).mean() > 0.9
    assert math.isfinite(report["position_after_60s_m"])
    assert json.loads(json.dumps(report))["schema"] == "marque.prove.replay/1"
    assert Integrity.KNOWN > Integrity.COASTING > Integrity.UNKNOWN


def test_the_command_line_draws_and_tells(shared_data, tmp_path, capsys, monkeypatch):
    need_cars()
    monkeypatch.setattr("marque.prove.replay.suite.EVERY_S", 48.0)
    monkeypatch.setattr("marque.prove.replay.suite.LONG_WARMS_S", (50.0,))
    picture, result = tmp_path / "p.png", tmp_path / "r.json"
    words = ["prove", "replay", "--log", str(segment_of(shared_data))]
    words += ["--picture", str(picture), "--json", str(result)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "again: marque prove replay" in said
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert json.loads(result.read_text())["position_rms_m"] < 3.0
