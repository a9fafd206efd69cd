"""What can go wrong with SUMO ends in one clear sentence."""

import importlib.util
import os
import signal
import subprocess
import sys
import time

import pytest
from crossing import make, on_lane, spec_of

from marque.core.errors import MarqueError
from marque.sim.worlds.sumo import SumoWorld
from marque.sim.worlds.sumo_link import SumoLink
from marque.sim.worlds.sumo_spec import launch, parse_args, split_args

pytestmark = pytest.mark.sumo
CAR = '<trip id="a" depart="0" departPos="5" from="wc" to="ce"/>'


def gone(pid: int, patience_s: float = 20.0) -> bool:
    """Whether a process has ended (a zombie has)."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_sumo_killed_in_the_middle_of_a_drive_is_named(tmp_path):
    spec = spec_of(make(tmp_path, CAR), ("wc", "ce"), begin_s=3)
    world = SumoWorld(spec)
    try:
        ego = on_lane(spec.road_map, "wc_0", 200.0)
        world.reset(ego)
        world.step(ego)
        os.kill(world._link.process.pid, signal.SIGKILL)
        with pytest.raises(MarqueError, match=r"SUMO died \(signal 9\)"):
            for _ in range(3):
                world.step(ego)
        with pytest.raises(MarqueError, match="SUMO died"):
            world.step(ego)
    finally:
        world.close()
        world.close()


def test_sumo_missing_names_the_extra(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "libsumo" else found(name)
    )
    with pytest.raises(MarqueError, match=r"pip install 'marque\[sumo\]'"):
        SumoLink()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<configuration><input>", "is no SUMO configuration"),
        ("<routes/>", "is no SUMO configuration: its root element is <routes>"),
        ("<configuration><input/></configuration>", "names no net-file"),
        (
            '<configuration><input><net-file value="none.net.xml"/></input></configuration>',
            "cannot read .*none.net.xml: No such file",
        ),
    ],
)
def test_a_broken_configuration_is_named(tmp_path, text, message):
    cfg = make(tmp_path, CAR)
    spec = spec_of(cfg, ("wc", "ce"), begin_s=3)
    cfg.write_text(text)
    with pytest.raises(MarqueError, match=message):
        SumoWorld(spec)


def test_a_configuration_that_does_not_exist_is_named(tmp_path):
    cfg = make(tmp_path, CAR)
    spec = spec_of(cfg, ("wc", "ce"), begin_s=3)
    cfg.unlink()
    with pytest.raises(MarqueError, match=r"cannot read .*x\.sumocfg: No such file"):
        SumoWorld(spec)


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        ('<trip id="a" depart="0" from="wc" to="nowhere"/>', "edge 'nowhere'"),
        ('<trip id="a" depart="0" type="unheard" from="wc" to="ce"/>', "type 'unheard'"),
        ("<trip", "unterminated start tag"),
    ],
)
def test_sumo_refuses_broken_demand_in_its_own_words(tmp_path, routes, words):
    spec = spec_of(make(tmp_path, routes), ("wc", "ce"), begin_s=3)
    with pytest.raises(MarqueError, match=rf"SUMO cannot start: .*{words}"):
        SumoWorld(spec)
    assert not list((tmp_path / "cache").glob("*"))  # no half-made state


def test_another_network_than_the_maps_is_named(tmp_path):
    spec = spec_of(make(tmp_path, CAR), ("wc", "elsewhere"), begin_s=3)
    with pytest.raises(MarqueError, match="edge 'elsewhere' that SUMO's network lacks"):
        SumoWorld(spec)


def test_a_start_before_the_traffic_begins_is_refused(tmp_path):
    cfg = make(tmp_path, CAR)
    cfg.write_text(cfg.read_text().replace('begin value="0"', 'begin value="100"'))
    with pytest.raises(MarqueError, match="begins at 100 s, not 50 s"):
        SumoWorld(spec_of(cfg, ("wc", "ce"), begin_s=50))
    for never in (float("nan"), float("inf"), 1e9):
        with pytest.raises(MarqueError, match="a start time of"):
            SumoWorld(spec_of(cfg, ("wc", "ce"), begin_s=never))
    with pytest.raises(MarqueError, match="density belongs to our own demand"):
        SumoWorld(spec_of(cfg, ("wc", "ce"), begin_s=150, density=10))


def test_options_of_the_user_pass_through_and_ours_are_held(tmp_path):
    assert split_args('--a-b "x y" -v') == ("--a-b", "x y", "-v")
    assert parse_args(("--scale=2", "--collision-output", "c.xml")) == [
        ("scale", ["2"]),
        ("collision-output", ["c.xml"]),
    ]
    with pytest.raises(MarqueError, match="cannot be read"):
        split_args('"open')
    with pytest.raises(MarqueError, match=r"may not set 'step-length': the traffic step is 0\.1 s"):
        parse_args(("--step-length", "1"))
    with pytest.raises(MarqueError, match="begins with 'word'"):
        parse_args(("word",))
    cfg = make(tmp_path, CAR)
    plan = launch(spec_of(cfg, ("wc", "ce"), 3, sumo_args=("--lateral-resolution", "0.8")))
    assert "--lanechange.duration" not in plan.args
    assert plan.facts["lane changes"] == "sublane model, 0.8 m"
    plan = launch(spec_of(cfg, ("wc", "ce"), 3, sumo_args=("--collision-output", "c.xml")))
    assert "c.xml" in plan.args and "c.xml" not in plan.warm_args
    assert plan.facts["further options"] == "--collision-output c.xml"
    assert "own 1 s is overridden" in plan.facts["step"]


@pytest.mark.parametrize("which", ["*.xml.gz", "*.json"])
def test_a_damaged_warmed_state_is_made_again(tmp_path, which):
    spec = spec_of(make(tmp_path, CAR), ("wc", "ce"), 3)
    SumoWorld(spec).close()
    (state,) = (tmp_path / "cache").glob(which)
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    world = SumoWorld(spec)
    try:
        assert len(world.reset(on_lane(spec.road_map, "wc_0", 120.0)).users.uid) == 1
        assert world.facts()["warmed state"] == "made now"
    finally:
        world.close()


def test_an_unknown_option_is_refused_in_sumos_words(tmp_path):
    spec = spec_of(make(tmp_path, CAR), ("wc", "ce"), 3, sumo_args=("--no-such-thing", "1"))
    with pytest.raises(MarqueError, match=r"no-such-thing"):
        SumoWorld(spec)


def test_sumos_own_collision_report_is_whole_after_close(tmp_path):
    out = tmp_path / "collisions.xml"
    args = ("--collision-output", str(out))
    spec = spec_of(make(tmp_path, CAR), ("wc", "ce"), 3, sumo_args=args)
    world = SumoWorld(spec)
    ego = on_lane(spec.road_map, "wc_0", 200.0)
    world.reset(ego)
    world.step(ego)
    world.close()
    assert out.read_text().rstrip().endswith("</collisions>")


def test_sumo_ends_when_the_program_is_killed(tmp_path):
    make(tmp_path, CAR)
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from crossing import spec_of\n"
        "from marque.sim.worlds.sumo import SumoWorld\n"
        "world = SumoWorld(spec_of(Path(sys.argv[2]), ('wc', 'ce'), 3))\n"
        "print(world._link.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    here = os.path.dirname(__file__)
    with subprocess.Popen(
        [sys.executable, "-c", script, here, str(tmp_path / "x.sumocfg")],
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    assert gone(child)


def test_ctrl_c_does_not_reach_sumo(tmp_path):
    spec = spec_of(make(tmp_path, CAR), ("wc", "ce"), begin_s=3)
    world = SumoWorld(spec)
    try:
        ego = on_lane(spec.road_map, "wc_0", 200.0)
        world.reset(ego)
        os.kill(world._link.process.pid, signal.SIGINT)
        assert world.step(ego).t_ns == 100_000_000
        pid = world._link.process.pid
    finally:
        world.close()
    assert gone(pid)


@pytest.mark.parametrize(("ego_s", "near"), [(5.0, 0), (255.0, 1)])
def test_lifted_deadlocks_are_counted_and_near_ones_apart(tmp_path, ego_s, near):
    held = '<vType id="snail" maxSpeed="0.01"/>'
    held += '<trip id="held" type="snail" depart="0" departPos="250" from="sc" to="cn"/>'
    spec = spec_of(make(tmp_path, held), ("wc", "ce"), begin_s=2, deadlock_s=4.0)
    world = SumoWorld(spec)
    try:
        ego = on_lane(spec.road_map, "wc_0", ego_s)
        world.reset(ego)
        for _ in range(150):
            world.step(ego)
        counts = world.counts()
        assert counts.teleports == 1
        assert counts.teleports_near_ego == near
        assert [event.kind for event in world.events] == ["traffic_teleport"] * near
        assert world.facts()["teleports"] == f"1, near our car {near}"
    finally:
        world.close()
