"""What is laid over deliveries, and that nothing else of them changes."""

import math

import numpy as np
import pytest

import winding
from marque.core.errors import MarqueError
from marque.core.time import seconds
from marque.sensing.faults import FAULTS, Fault, Faulty, Laid, find, has_parts, sensors_of
from marque.sensing.profile import load_equipment, load_profile
from marque.sim.senses import begin_senses
from marque.types.codes import Reaction
from marque.types.reading import Delivery, Imu

CAR, STANDARD = winding.CAR, winding.STANDARD
RUN = winding.Run(4.0)


def deliveries(fault: Fault | None, long_s: float = 2.0, seed: int = 1):
    senses = begin_senses(STANDARD, CAR, winding.ROAD, seed, fault)
    out = []
    for step in range(int(long_s * 50)):
        t_ns = step * 20_000_000
        if step % 5 == 0:
            senses.observe(RUN.world(t_ns))
        out.append(senses.receive(RUN.ego(t_ns), t_ns))
    return out


def laid(do: str, of: str, amount: float = 0.0, lasts_s: float = math.inf) -> Fault:
    return Fault("f", "0", "t", (Laid(do, of, amount),), (), Reaction.LOG, 1.0, 1.0, lasts_s)


def lists(came, sensor):
    return [one for each in came for one in each.objects if one.sensor == sensor]


def test_before_a_fault_begins_and_after_it_ends_deliveries_are_as_they_came():
    sound = deliveries(None)
    for fault in FAULTS:
        if fault.from_s < 2.0 or any(one.do == "freeze" for one in fault.laid):
            continue
        for good, laid_over in zip(sound[:20], deliveries(fault)[:20], strict=True):
            assert good.imu[0].accel_mps2 == laid_over.imu[0].accel_mps2
            assert good.bus[0].steer_rad == laid_over.bus[0].steer_rad
            assert [one.t_ns for one in good.objects] == [one.t_ns for one in laid_over.objects]


def test_a_dropout_takes_the_sensor_with_its_signals_and_marks_and_nobody_else():
    camera = sensors_of(STANDARD, "camera ahead")[0]
    came = deliveries(laid("drop", "camera ahead"))
    assert max(one.t_ns for one in lists(came, camera)) < 1e9
    assert not any(each.marks or each.signals for each in came if seconds(each.t_ns) >= 1.0)
    assert max(one.t_ns for one in lists(came, camera + 1)) > 1.5e9


def test_what_is_frozen_has_new_stamps_and_old_content():
    radar = sensors_of(STANDARD, "radar ahead")[0]
    late = lists(deliveries(laid("freeze", "radar ahead")), radar)[-4:]
    assert len({one.t_ns for one in late}) == 4
    assert all(np.array_equal(one.x_m, late[0].x_m) for one in late)


def test_what_is_delayed_comes_later_with_its_own_stamp():
    came = deliveries(laid("delay", "lidar", 0.3))
    lidar = sensors_of(STANDARD, "lidar")[0]
    ages = [
        seconds(each.t_ns - one.t_ns)
        for each in came if seconds(each.t_ns) > 1.5
        for one in each.objects if one.sensor == lidar
    ]  # fmt: skip
    assert ages
    assert min(ages) >= 0.36


def test_lost_messages_are_lost_by_their_share_and_alike_for_one_seed():
    def count(seed):
        fault = laid("lose", "all", 0.5)
        faulty = Faulty(fault, STANDARD, CAR, seed)
        imu = Imu(0, (0.0, 0.0, 9.8), (0.0, 0.0, 0.0))
        return [len(faulty.lay(Delivery(2_000_000_000 + k, imu=(imu,))).imu) for k in range(400)]

    assert 150 < sum(count(1)) < 250
    assert count(1) == count(1)
    assert count(1) != count(2)


def test_a_ghost_stands_still_while_we_come_nearer_and_then_lies_behind():
    radar = sensors_of(STANDARD, "radar ahead")[0]
    sound, ghosts = (
        lists(deliveries(None, 3.5), radar),
        lists(deliveries(laid("ghost", "radar ahead", 15.0), 3.5), radar),
    )
    more = [(b.t_ns, float(b.x_m[-1])) for a, b in zip(sound, ghosts, strict=True)
            if b.count == a.count + 1]  # fmt: skip
    assert len(more) >= 20
    assert all(0.0 <= x <= 21.0 for _, x in more)
    assert more[-1][1] < more[0][1]
    assert all(b.has_rate[-1] and not b.has_box[-1] for a, b in zip(sound, ghosts, strict=True)
               if b.count > a.count)  # fmt: skip


def test_swapped_sensors_exchange_what_they_see():
    left, right = sensors_of(STANDARD, "cameras aside")
    assert STANDARD.sensor[left].heading_deg > 0.0 > STANDARD.sensor[right].heading_deg
    a = lists(deliveries(None), left)
    b = lists(deliveries(laid("swap", "cameras aside")), right)
    at = {one.t_ns: one for one in a}
    same = [np.array_equal(at[one.t_ns].x_m, one.x_m) for one in b if one.t_ns > 1.1e9]
    assert same
    assert all(same)


def test_nothing_is_broken_that_a_car_does_not_have():
    no_lidar = STANDARD.model_copy(
        update={"sensor": tuple(one for one in STANDARD.sensor if one.kind != "lidar")}
    )
    assert not has_parts(find("lidar_dropout"), no_lidar)
    with pytest.raises(MarqueError, match="no part"):
        begin_senses(no_lidar, CAR, winding.ROAD, 1, find("lidar_dropout"))
    with pytest.raises(MarqueError, match="exact senses"):
        begin_senses(load_profile("ideal"), CAR, winding.ROAD, 1, find("camera_dropout"))


def test_faults_are_found_by_name_and_by_row():
    assert find("3a") is find("camera_late")
    with pytest.raises(MarqueError, match="camera_dropout"):
        find("camera_drop")
    assert load_equipment("standard").name == "standard"
