"""The storyboard: who starts when, who stops whom, and what others see of it."""

from pathlib import Path

import pytest

from marque.sim.scenario.player import STEP_S, Player
from scenario_files import (
    after,
    at_lane,
    begin,
    event,
    in_state,
    play_until,
    playing,
    set_variable,
    speed,
    story,
    teleport,
    text,
    when,
)

PLACED = begin("Ego", teleport(at_lane(-1, 10.0)), speed(10.0)) + begin(
    "Other", teleport(at_lane(-1, 60.0)), speed(10.0)
)
VARIABLES = (
    '<VariableDeclaration name="n" variableType="double" value="0"/>'
    '<VariableDeclaration name="w" variableType="string" value="red"/>'
)


def _play(folder: Path, *stories: str, stop: str = "") -> Player:
    return playing(folder, text(PLACED, "".join(stories), stop, variables=VARIABLES))


def _first(player: Player, name: str, value: object, limit_s: float = 5.0) -> float:
    """When a variable has a value, as the state in which conditions first see it."""
    player.step()
    while player.variables[name].value != value:
        assert player.t_s < limit_s
        player.step()
    return player.t_s


def _variable(name: str, rule: str, value: str) -> str:
    return (
        f'<ByValueCondition><VariableCondition variableRef="{name}" rule="{rule}" '
        f'value="{value}"/></ByValueCondition>'
    )


@pytest.mark.parametrize(
    ("edge", "delay", "rule", "wanted"),
    [
        ("none", 0.0, "greaterOrEqual", 1.0),
        ("rising", 0.0, "greaterOrEqual", 1.0),
        ("none", 0.5, "greaterOrEqual", 1.5),
        ("rising", 0.5, "greaterOrEqual", 1.5),
        ("falling", 0.25, "lessOrEqual", 1.3),
        ("risingOrFalling", 0.0, "lessOrEqual", 1.05),
    ],
)
def test_edges_and_delays(
    tmp_path: Path, edge: str, delay: float, rule: str, wanted: float
) -> None:
    trigger = when(after(1.0, rule), edge, delay)
    player = _play(tmp_path, story("Ego", event("e", set_variable("n", "1"), trigger)))
    # what starts in the state at `wanted` is seen a step later
    assert _first(player, "n", 1.0) == pytest.approx(wanted + STEP_S)


def test_an_edge_that_was_never_seen_to_rise_is_none(tmp_path: Path) -> None:
    trigger = when(after(0.0), "rising")
    player = _play(tmp_path, story("Ego", event("e", set_variable("n", "1"), trigger)))
    assert play_until(player, 1.0).variables["n"].value == 0.0


@pytest.mark.parametrize("priority", ["override", "overwrite", "parallel", "skip"])
def test_priorities(tmp_path: Path, priority: str) -> None:
    """A second event in the same manoeuvre comes while the first slows the other car down; both
    are of different domains, so only the priority decides whether the first goes on."""
    first = event("slow", speed(7.0, "linear", "rate", 3.0), when(after(0.5)))
    second = event("count", set_variable("n", "1"), when(after(1.0)), priority)
    player = play_until(_play(tmp_path, story("Other", first, second)), 4.0)
    stopped = priority in ("override", "overwrite")
    assert player.bodies["Other"].speed_mps == pytest.approx(8.5 if stopped else 7.0)
    assert player.variables["n"].value == (0.0 if priority == "skip" else 1.0)


def test_events_run_as_often_as_they_may(tmp_path: Path) -> None:
    again = event("add", set_variable("n", "1", "AddValue"), when(after(0.2)), most=3)
    player = play_until(_play(tmp_path, story("Ego", again)), 2.0)
    assert player.variables["n"].value == 3.0


def test_variables_are_changed_by_their_kind(tmp_path: Path) -> None:
    twice = event("times", set_variable("n", "4", "MultiplyByValue"), when(after(0.4)))
    once = event("add", set_variable("n", "2.5", "AddValue"), when(after(0.2)))
    word = event("word", set_variable("w", "green"), when(_variable("n", "equalTo", "10")))
    player = play_until(_play(tmp_path, story("Ego", once, twice, word)), 1.0)
    assert player.variables["n"].value == 10.0
    assert player.variables["w"].text == "green"


@pytest.mark.parametrize("state", ["completeState", "endTransition"])
@pytest.mark.parametrize("kind", ["event", "action"])
def test_what_follows_an_end(tmp_path: Path, kind: str, state: str) -> None:
    slow = event("slow", speed(8.0, "linear", "time", 1.0), when(after(0.5)))
    name = "m::slow" if kind == "event" else "slow::slow"
    trigger = when(in_state(kind, name, state), "rising")
    then = event("then", set_variable("n", "1"), trigger)
    player = _play(tmp_path, story("Other", slow, then))
    assert _first(player, "n", 1.0) == pytest.approx(1.5 + STEP_S)
    assert player.bodies["Other"].speed_mps == pytest.approx(8.0)


def test_a_transition_is_seen_once_and_a_state_lasts(tmp_path: Path) -> None:
    start = event("go", set_variable("w", "blue"), when(after(0.5)))
    once = event("once", set_variable("n", "1", "AddValue"),
                 when(in_state("action", "go", "startTransition")), most=9)  # fmt: skip
    player = play_until(_play(tmp_path, story("Ego", start, once)), 2.0)
    assert player.variables["n"].value == 1.0


def test_the_newest_of_a_domain_wins(tmp_path: Path) -> None:
    first = story("Other", event("up", speed(30.0, "linear", "rate", 2.0), when(after(0.5))))
    second = first.replace('name="s"', 'name="s2"').replace('"up"', '"down"')
    second = second.replace('value="30.0"', 'value="5.0"').replace('"0.5"', '"1.5"')
    player = play_until(_play(tmp_path, first, second), 1.5)
    assert player.bodies["Other"].speed_mps == pytest.approx(12.0)
    assert play_until(player, 6.0).bodies["Other"].speed_mps == pytest.approx(5.0)


def test_the_end_of_it_all(tmp_path: Path) -> None:
    stop = when(after(1.0), "none", 0.5, "StopTrigger")
    player = play_until(_play(tmp_path, stop=stop), 9.0)
    assert player.over and player.t_s == pytest.approx(1.5)
    x = player.bodies["Other"].x_m
    player.step()
    assert player.t_s == pytest.approx(1.5) and player.bodies["Other"].x_m == x


def test_an_act_that_is_stopped_stops_what_runs_in_it(tmp_path: Path) -> None:
    slow = story("Other", event("slow", speed(0.0, "linear", "rate", 2.0), when(after(0.5))))
    stop = when(after(1.5), tag="StopTrigger")
    player = _play(tmp_path, slow.replace("</Act>", f"{stop}</Act>"))
    assert play_until(player, 4.0).bodies["Other"].speed_mps == pytest.approx(8.0)
