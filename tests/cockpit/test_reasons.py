"""Twenty trips through SUMO's traffic: whenever the car brakes or stands, the page says why."""

import pytest

from marque.cockpit.why import BRAKES_MPS2, NO_REASON, UNEXPLAINED, why_of
from marque.core.time import seconds
from marque.sim.drive import begin_episode, run_drive
from marque.sim.order import Order, open_ground, open_world, prepare, with_limit

TRIPS, LIMIT_S = 20, 120.0


@pytest.mark.prove
@pytest.mark.sumo
def test_every_slowdown_and_stop_of_twenty_trips_has_a_reason() -> None:
    pytest.importorskip("libsumo")
    first = Order(map_name="berlin", seed=1, density=60, min_length_m=300.0)
    ground = open_ground(first)
    ticks = slow = 0
    silent: list[tuple[int, float]] = []
    for seed in range(1, TRIPS + 1):
        order = Order(map_name="berlin", seed=seed, density=60, min_length_m=300.0)
        ready = with_limit(prepare(order, ground), LIMIT_S)
        world = open_world(ready)
        try:
            episode = begin_episode(ready.setup, ready.route, world)
            run_drive(ready.setup, world, episode)
        finally:
            world.close()
        why = NO_REASON
        for tick in episode.ticks:
            why = why_of(why, tick)
            brakes = tick.world.ego.accel_mps2 < BRAKES_MPS2
            ticks, slow = ticks + 1, slow + brakes
            if why.code == UNEXPLAINED or (brakes and not why.holds):
                silent.append((seed, seconds(tick.world.t_ns)))
    print(f"\n{ticks} frames, {slow} with braking above 1 m/s2, {len(silent)} without a reason")
    assert slow > 100
    assert silent == []
