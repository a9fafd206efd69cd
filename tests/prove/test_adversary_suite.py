"""The adversary suite: who means harm, what is preventable, what is kept, and one real run."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders import straight_road
from marque.cli.main import main
from marque.core.errors import MarqueError
from marque.prove.adversary import suite
from marque.prove.adversary.drivers import DRIVERS, Adversary, arc, plan_of
from marque.prove.adversary.judge import hits
from marque.prove.adversary.play import Run, Stand, play
from marque.prove.adversary.stages import State, states
from marque.prove.adversary.way import find_way
from marque.prove.faults.suite import draw
from marque.prove.situations.case import set_stage
from marque.sensing.measure import measure_ego
from marque.sensing.profile import load_exact
from marque.sim.senses import begin_senses
from marque.sim.worlds.empty import nobody
from marque.sim.worlds.sumo_spec import SumoSpec
from marque.sim.worlds.sumo_states import SumoStates
from marque.types.world import EgoTruth, World
from marque.vehicle.catalog import load_platform
from metrics.drives import drive, moving, standing, straight

ROAD = straight_road(900.0, 2)
CAR = load_platform("saloon_ev")
EGO = EgoTruth(100.0, 0.0, 0.0, 12.0, 0.0, 0.0, 0.0, 0.0)


def way() -> Any:
    x, y, _ = ROAD.place(0, 100.0)
    found = find_way(ROAD, 0, x, y, (), 3.0)
    assert found is not None
    return found, replace(EGO, x_m=x, y_m=y)


def adversary(kind: str, mode: int) -> tuple[Adversary, EgoTruth]:
    line, ego = way()
    driver = Adversary(kind, [1, 2], line, CAR)
    driver.mode = mode
    return driver, ego


def at(driver: Adversary, ego: EgoTruth, t_ns: int) -> tuple[Any, Any]:
    """Plan and command at a time; some time before it was sane."""
    users = nobody()
    sane = driver.plan(World(0, ego, users, np.zeros(0, np.int8)), None)
    driver.command(measure_ego(ego, 0), sane, 0)
    plan = driver.plan(World(t_ns, ego, users, np.zeros(0, np.int8)), sane)
    return plan, driver.command(measure_ego(ego, t_ns), plan, t_ns)


LATE = 5_000_000_000


@pytest.mark.parametrize("kind", DRIVERS)
def test_everybody_drives_well_at_first(kind: str) -> None:
    driver, ego = adversary(kind, 0)
    plan, command = at(driver, ego, 100_000_000)
    assert plan.t_ns == 100_000_000 and abs(command.accel_mps2) < 2.0
    assert plan.fallback.speed_mps[-1] == 0.0 and kind in driver.words


@pytest.mark.parametrize(
    ("kind", "mode", "meant"),
    [
        ("accelerate", 0, lambda plan, command: command.accel_mps2 >= 4.0),
        ("accelerate", 2, lambda plan, command: command.curvature_1pm == 0.0),
        ("frozen", 0, lambda plan, command: plan.t_ns == 0 and command.t_ns == 0),
        ("frozen", 1, lambda plan, command: plan.t_ns == 0 and command.t_ns == LATE),
        ("frozen", 2, lambda plan, command: plan.t_ns == LATE and command.t_ns == LATE),
        ("nan", 0, lambda plan, command: np.isnan(command.curvature_1pm)),
        ("nan", 1, lambda plan, command: np.isnan(plan.trajectory.x_m).any()),
        ("random", 1, lambda plan, command: plan is None or plan.t_ns == LATE),
        ("steer", 0, lambda plan, command: plan.t_ns == LATE),
    ],
)
def test_and_then_does_harm(kind: str, mode: int, meant: Any) -> None:
    driver, ego = adversary(kind, mode)
    assert meant(*at(driver, ego, LATE))


def test_who_steers_at_others_steers_at_them() -> None:
    driver, ego = adversary("steer", 1)
    user = drive(ROAD, straight([12.0]), [standing(1, ego.x_m + 20.0, ego.y_m + 5.0)]).ticks[0]
    world = World(LATE, ego, user.world.users, np.zeros(0, np.int8))
    plan = driver.plan(world, None)
    assert driver.command(measure_ego(ego, LATE), plan, LATE).curvature_1pm > 0.005


def test_an_arc_ends_where_its_speed_does() -> None:
    made = arc((0.0, 0.0, 0.0, 10.0), 0.05, -5.0)
    assert made.s_m[-1] == pytest.approx(10.0) and made.speed_mps[-1] == 0.0
    assert made.heading_rad[-1] == pytest.approx(0.5)
    assert made.x_m[-1] == pytest.approx(np.sin(0.5) / 0.05)
    assert plan_of(made, made, 7).t_ns == 7


def test_a_way_that_soon_ends_is_none() -> None:
    x, y, _ = ROAD.place(0, 850.0)
    assert find_way(ROAD, 0, x, y, (), 3.0) is None


def test_running_into_a_standing_car_is_preventable_and_being_hit_from_behind_is_not() -> None:
    wall = drive(ROAD, straight([12.0] * 80, x=20.0, y=0.0), [standing(1, 80.0, 0.0)])
    (hit,) = hits(wall)
    assert hit.preventable and hit.margin >= 1.0 and hit.from_frame < hit.frame
    ahead = straight([max(0.0, 8.0 - i) for i in range(60)], x=60.0)
    (hit,) = hits(drive(ROAD, ahead, [moving(1, 30.0, 0.0, 0.0, 15.0)]))
    assert not hit.preventable


def test_a_wall_that_springs_up_is_not_preventable() -> None:
    """Nobody has ever been far enough away from it."""
    (hit,) = hits(drive(ROAD, straight([25.0] * 40, x=20.0), [standing(1, 34.0, 0.0)]))
    assert not hit.preventable and hit.from_frame == 0 and hit.margin < 1.0


# ------------------------------------------------------------------ what is kept


def made(number: int, **more: Any) -> dict[str, Any]:
    record = {
        "run": number, "driver": f"{Run(number, 1).kind}, x", "state": "city0", "preventable": 0,
        "steered": 0, "contacts": 0, "hits": [], "rules": {"rss": 3}, "pictures": [], "cpu_s": 0.5,
    }  # fmt: skip
    return record | more


def order(out: Path, **more: Any) -> suite.Suite:
    return replace(suite.Suite(10, 1, 1, out), **more)


def test_a_killed_suite_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []

    def played(_suite: Any, _places: Any, missing: list[int]) -> Any:
        asked.append(list(missing))
        for number in missing:
            if len(asked) == 1 and number == 4:
                raise KeyboardInterrupt
            yield made(number)

    monkeypatch.setattr(suite, "_played", played)
    with pytest.raises(KeyboardInterrupt):
        suite.run_adversary(order(tmp_path))
    with (tmp_path / suite.RUNS_FILE).open("a") as file:
        file.write('{"run": 4, "dri')  # killed in the middle of a line
    report = suite.run_adversary(order(tmp_path))
    assert asked[1] == [4, 5, 6, 7, 8, 9] and report["passed"] and report["runs"] == 10
    assert report["drivers"]["nan"] == {"runs": 2, "preventable": 0, "steered": 0, "contacts": 0}
    assert suite.run_adversary(order(tmp_path, runs=12))["runs"] == 12 and asked[2] == [10, 11]
    suite.run_adversary(order(tmp_path, only=3))
    assert asked[3] == [3]
    suite.run_adversary(order(tmp_path, again=True))
    assert asked[4] == list(range(10))
    with pytest.raises(MarqueError, match="another seed"):
        suite.run_adversary(order(tmp_path, seed=2))
    with (tmp_path / suite.RUNS_FILE).open("a") as file:
        file.write("rubbish\n")
    with pytest.raises(MarqueError, match="no record of a run"):
        suite.run_adversary(order(tmp_path))
    (tmp_path / suite.PLAN_FILE).write_text("{")
    with pytest.raises(MarqueError, match="cannot be read"):
        suite.run_adversary(order(tmp_path))
    (tmp_path / suite.PLAN_FILE).unlink()
    with pytest.raises(MarqueError, match="unknown suite"):
        suite.run_adversary(order(tmp_path))


def test_one_preventable_contact_or_one_run_that_was_not_played_fails() -> None:
    good = [made(number) for number in range(5)]
    hit = {"preventable": True}
    assert suite.add_up(order(Path()), good)["passed"]
    bad = suite.add_up(order(Path()), [*good, made(5, preventable=1, contacts=1, hits=[hit])])
    assert not bad["passed"] and bad["preventable"] == 1 and bad["failed"][0]["run"] == 5
    lost = {"run": 6, "driver": "nan", "state": "city0", "failed": "SUMO died"}
    report = suite.add_up(order(Path()), [*good, lost])
    assert not report["passed"] and report["unplayed"] == {"6": "SUMO died"}
    assert not suite.add_up(order(Path()), [lost])["passed"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--runs", "0"], "it must be from 1"),
        (["--runs", "5", "--only", "5"], "numbered from 0 to 4"),
        (["--roads", "sea"], "no roads 'sea'"),
        (["--car", "nonsense"], "nonsense"),
    ],
)
def test_bad_words_are_said(words: list[str], said: str, tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    assert main(["prove", "adversary", "--out", str(tmp_path), *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_program_prints_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    hit = {
        "kind": "car", "t_s": 2.0, "speed_mps": 5.0, "other_mps": 0.0, "preventable": True,
        "rules_before": ["rss"],
    }  # fmt: skip
    bad = made(1, preventable=1, contacts=1, hits=[hit], pictures=["r000001-3.png"])
    monkeypatch.setattr(suite, "_played", lambda *_: iter([made(0), bad]))
    target = tmp_path / "told.json"
    words = ["prove", "adversary", "--runs", "2", "--out", str(tmp_path), "--json", str(target)]
    assert main(words) == 1
    said = capsys.readouterr().out
    assert "car at 2 s, 5 against 0 m/s" in said and "not passed" in said
    assert json.loads(target.read_text())["schema"] == suite.SCHEMA


def test_states() -> None:
    assert {state.sort for state in states("all")} == {"city", "motorway"}
    assert all(state.far_m > 300.0 for state in states("motorway"))


# ------------------------------------------------------------------ in SUMO


@pytest.mark.sumo
def test_the_same_run_from_the_same_state_is_the_same(tmp_path: Path) -> None:
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    case = draw(1)
    stage = set_stage(case, tmp_path)
    spec = SumoSpec(
        road_map=stage.road_map, net=None, route_edges=(), ego_length_m=CAR.length_m,
        ego_width_m=CAR.width_m, ego_front_m=CAR.front_m, sumocfg=stage.sumocfg,
        begin_s=float(case.begin_s), cache=tmp_path / "cache",
    )  # fmt: skip
    world = SumoStates(spec)
    senses = begin_senses(load_exact(), CAR, stage.road_map, 0)
    stand = Stand(State("city", 0), CAR, stage.road_map, world, senses)
    try:
        with pytest.raises(MarqueError, match=r"begins with branch\(\)"):
            world.take("nobody", 100.0)
        first, second, other = (play(stand, Run(number, 1)) for number in (1, 1, 3))
        world.branch()
        with pytest.raises(MarqueError, match="SUMO"):
            world.take("nobody", 100.0)
    finally:
        stand.close()
    for record in (first, second):
        record.pop("cpu_s")
    assert first == second and first["rules"]
    assert first["preventable"] == other["preventable"] == 0


@pytest.mark.prove
def test_ten_thousand_runs(tmp_path: Path) -> None:
    pytest.importorskip("libsumo", reason="needs the extra `sumo`")
    report = suite.run_adversary(suite.Suite(10_000, 1, 2, tmp_path))
    assert report["played"] == 10_000
    assert report["preventable"] == 0, report["failed"]
