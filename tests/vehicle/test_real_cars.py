"""Real cars on their own buses: bytes out, bytes in, and a judge between."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from marque.core.errors import MarqueError

pytest.importorskip("opendbc")
pytest.importorskip("cffi")
pytest.importorskip("can")

from marque.prove.can.conform import conform
from marque.prove.can.fuzz import fuzz
from marque.sim.can_car import CanCar, Hands, begin_safety
from marque.vehicle.can.bench import Bench, Body, Frame, Told
from marque.vehicle.can.checksums import KINDS
from marque.vehicle.can.family import FOLDER, family_names, load_family, read_family
from marque.vehicle.can.logs import read_log, write_log
from marque.vehicle.can.real_car import brand_of, load_real, real_names, why_not
from marque.vehicle.can.safety import Safety, compiler
from marque.vehicle.catalog import load_platform

ONE_EACH = (
    "TOYOTA_COROLLA_TSS2", "HONDA_CIVIC_BOSCH", "HYUNDAI_SONATA", "KIA_EV6", "CHEVROLET_BOLT_EUV",
    "FORD_ESCAPE_MK4", "SUBARU_IMPREZA", "TESLA_MODEL_3", "RIVIAN_R1", "VOLKSWAGEN_GOLF_MK7",
    "VOLKSWAGEN_JETTA_MK6",
)  # fmt: skip


def test_every_family_that_opendbc_steers_and_brakes_has_a_file() -> None:
    driven = [name for name in real_names() if not why_not(name)]
    assert len(driven) == 152
    assert {brand_of(name) for name in driven} == set(family_names())
    assert {brand_of(name) for name in ONE_EACH} == set(family_names())


@pytest.mark.parametrize("name", ONE_EACH)
def test_the_state_arises_from_bytes_alone(name: str) -> None:
    car = load_real(name)
    safety = begin_safety(car)
    bench = Bench(car, safety)
    body = Body(speed_mps=15.0, steer_deg=-12.3, engaged=False)
    heard = True
    for cycle in range(60):
        t_ns = 10_000_000 * (cycle + 1)
        safety.at(t_ns)
        frames = bench.publish(body)
        intact = [safety.heard(f.address, f.data, f.bus) for f in frames]
        heard = all(intact) or cycle < 30
        assert heard
        state = car.interface.update([(t_ns, [tuple(f) for f in frames])])
    assert state.canValid and not safety.relay_malfunction
    assert float(state.vEgoRaw) == pytest.approx(15.0, abs=0.15)
    assert float(state.steeringAngleDeg) == pytest.approx(-12.3, abs=0.2)
    assert str(state.gearShifter) == "drive" and state.cruiseState.available
    assert not (state.gasPressed or state.brakePressed or state.doorOpen or state.accFaulted)
    pressed = replace(body, brake=True)
    for cycle in range(3):
        frames = bench.publish(pressed)
        state = car.interface.update([(t_ns + 10_000_000 * (cycle + 1), [*map(tuple, frames)])])
    assert state.brakePressed
    for frame in frames:
        if (frame.bus, frame.address) in safety.summed():
            assert not safety.heard(*bench.flipped(frame))


def test_a_real_car_conforms() -> None:
    found = conform("opendbc:TESLA_MODEL_3".removeprefix("opendbc:"))
    assert found["verdict"] == "conform", found["reasons"]
    assert found["frames_refused"] == 0 and found["flipped_believed"] == 0
    assert found["longitudinal_rms_mps2"] < 0.3


def test_what_cannot_be_driven_says_why() -> None:
    assert conform("AUDI_Q5_MK1")["verdict"] == "unsupported"
    with pytest.raises(MarqueError, match=r"cannot be driven: opendbc's MLB code"):
        load_platform("opendbc:AUDI_Q5_MK1")
    with pytest.raises(MarqueError, match=r"nearest of its \d+: \[TOYOTA_COROLLA"):
        load_platform("opendbc:TOYOTA_COROLA_TSS2")


def test_no_illegal_command_passes() -> None:
    found = fuzz("rivian", 600, 3)
    assert found["commands"] == 600
    assert found["illegal"] > 50 and found["legal_passed"] > 50
    assert found["illegal_passed"] == 0, found["shown"]


def test_nothing_acts_before_it_is_engaged_or_after_the_driver_brakes() -> None:
    bench = CanCar(load_real("RIVIAN_R1"), (0.0, 0.0, 0.0), 15.0)
    for _ in range(60):
        bench.cycle(1.0, 0.005, Hands())
    assert not bench.ours and abs(bench.truth().yaw_rate_radps) < 1e-9
    for step in range(90):
        bench.cycle(0.5, 0.002, Hands(button="set" if step < 30 else "none"))
    assert bench.ours and bench.truth().yaw_rate_radps > 0.002
    for _ in range(10):
        bench.cycle(0.5, 0.002, Hands(brake=True))
    assert not bench.ours and not bench.safety.allowed
    assert bench.count.refused == []


@pytest.mark.parametrize("suffix", ["log", "blf", "asc"])
def test_logs_keep_every_frame(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(1)
    frames = [
        (10_000_000 * i, Frame(0x100 + i, rng.bytes(8 if i % 3 else 32), i % 3), bool(i % 2))
        for i in range(40)
    ]
    path = tmp_path / f"drive.{suffix}"
    assert write_log(path, frames) == 40
    again = list(read_log(path))
    assert [frame for _, frame, _ in again] == [frame for _, frame, _ in frames]
    assert [rx for _, _, rx in again] == [rx for _, _, rx in frames]
    assert max(abs(a[0] - b[0]) for a, b in zip(again, frames, strict=True)) < 200_000


def test_bad_logs_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match=r"ends in one of \[.log \(candump\)"):
        write_log(tmp_path / "x.txt", [])
    with pytest.raises(MarqueError, match="cannot read"):
        list(read_log(tmp_path / "none.log"))
    bad = tmp_path / "bad.blf"
    bad.write_bytes(b"not a log at all, but long enough to be read as a header" * 8)
    with pytest.raises(MarqueError, match=r"bad\.blf is no BLF log"):
        list(read_log(bad))


def test_no_compiler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(MarqueError, match="needs a C compiler"):
        compiler()


def test_a_family_that_speaks_of_what_the_dbc_lacks_is_refused(tmp_path: Path) -> None:
    text = (FOLDER / "rivian.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("ESP_Vehicle_Speed_Q", "ESP_Vehicle_Sped_Q"), encoding="utf-8")
    car = replace(load_real("RIVIAN_R1"), family=read_family(path))
    with pytest.raises(MarqueError, match=r"no signal ESP_Status.ESP_Vehicle_Sped_Q"):
        Bench(car, begin_safety(car))
    path.write_text(text.replace('"speed_kph"', '"spead"'), encoding="utf-8")
    with pytest.raises(MarqueError, match=r"'spead' is no quantity; have \[speed_kph"):
        read_family(path)
    path.write_text(text.replace("rivian_speed", "magic"), encoding="utf-8")
    with pytest.raises(MarqueError, match=r"checksum\.ESP_Status\.kind"):
        read_family(path)
    with pytest.raises(MarqueError, match="no brand family 'trabant'"):
        load_family("trabant")


def test_actuators_ignore_what_is_not_switched_on() -> None:
    car = load_real("RIVIAN_R1")
    bench = Bench(car, begin_safety(car))
    sent: dict[int, Frame] = {}
    live = CanCar(load_real("RIVIAN_R1"), (0.0, 0.0, 0.0), 15.0)
    live.log = lambda _t, frame, ours: None if ours else sent.update({frame.address: frame})
    for _ in range(40):
        live.cycle(1.0, 0.0, Hands())
    for address in bench.listens & set(sent):
        told = bench.read(Told(), sent[address], 15.0)
        assert told.lateral is None and told.accel_mps2 is None


def test_checksum_rules_change_with_every_bit_that_they_cover() -> None:
    data = bytes(range(8))
    for rule in KINDS.values():
        assert 0 <= rule(data) < 256
    assert KINDS["hyundai_engine"](data) != KINDS["hyundai_engine"](bytes([1, *data[1:]]))


def test_the_model_says_which_messages_it_watches() -> None:
    safety = begin_safety(load_real("TESLA_MODEL_3"))
    assert len(safety.checked()) == 9 and not safety.allowed
    assert not safety.may_send(0x123, bytes(8), 0)
    assert not safety.may_send(0x123, bytes(9), 0)
    with pytest.raises(MarqueError, match="no mode"):
        Safety(65000, 0)
