"""The two suites that others wrote, against the traces of the player that they are held to."""

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from marque.cli.prove import app
from marque.core.errors import MarqueError
from marque.prove.scenarios import (
    WITHIN_M,
    WITHIN_MPS,
    Order,
    compare,
    find_files,
    play,
    read_traces,
    run,
)
from marque.sim.scenario.variations import read_variation
from scenario_files import after, at_lane, begin, event, speed, story, teleport, text, when, write

ALKS = "alks/concrete_scenarios"
NCAP = "ncap2023/OpenSCENARIO/NCAP"
# one of each kind: a swerve, a crossing on foot, a cut-in, a synchronised turn, a route through a
# junction, a drive backwards
FEW = (
    f"{ALKS}/alks_scenario_4_1_2_swerving_lead_vehicle_template.xosc",
    f"{ALKS}/alks_scenario_4_2_3_crossing_pedestrian_template.xosc",
    f"{ALKS}/alks_scenario_4_4_1_cut_in_no_collision_template.xosc",
    f"{NCAP}/AEB_C2C_2023/NCAP_AEB_C2C_CCFtap_2023.xosc",
    f"{NCAP}/AEB_C2C_2023/NCAP_AEB_C2C_CCFhol_2023.xosc",
    f"{NCAP}/AEB_VRU_2023/NCAP_AEB_VRU_CBNAO_2023.xosc",
    f"{NCAP}/AEB_VRU_2023/NCAP_AEB_VRU_CPRA_Cm_2023.xosc",
)


@pytest.mark.data
@pytest.mark.parametrize("name", FEW)
def test_road_users_are_where_the_reference_player_has_them(shared_data: Path, name: str) -> None:
    folder = shared_data / "openscenario"
    suite = "alks" if name.startswith("alks") else "ncap2023"
    path = folder / name
    traces = read_traces(folder / "reference" / f"esmini_{suite}.csv.gz")[path.name]
    worst = compare(play(path, traces=traces, like_reference=True), traces)
    assert worst
    for each in worst:
        assert each.away_m <= WITHIN_M and each.speed_mps <= WITHIN_MPS, each


@pytest.mark.data
@pytest.mark.prove
def test_every_file_and_some_of_every_variation(shared_data: Path) -> None:
    folder = shared_data / "openscenario"
    traces = tuple(sorted((folder / "reference").glob("*.csv.gz")))
    report = run(Order(folder, traces, cases=5))
    assert [row["refused"] for row in (*report["files"], *report["varied"]) if row["refused"]] == []
    assert (report["played"], report["unsupported"]) == (28, 0)
    assert report["worst_m"] <= WITHIN_M and report["worst_mps"] <= WITHIN_MPS
    assert report["passed"]


@pytest.mark.data
def test_the_alks_variations_expand_to_what_they_should(shared_data: Path) -> None:
    folder = shared_data / "openscenario" / "alks"
    cases = {path.stem: len(read_variation(path)) for path in sorted(folder.glob("*.xosc"))}
    assert len(cases) == 15 and sum(cases.values()) == 121_060


OTHER_GOES = story("Other", event("go", speed(8.0), when(after(0.5))))


def _own(folder: Path) -> Path:
    init = begin("Ego", teleport(at_lane(-1, 5.0)), speed(4.0)) + begin(
        "Other", teleport(at_lane(-1, 50.0))
    )
    return write(folder, text(init, OTHER_GOES, when(after(2.0), tag="StopTrigger")))


def _trace(folder: Path, shift_m: float = 0.0) -> Path:
    rows = ["file,t_s,name,x_m,y_m,heading_rad,speed_mps,lane"]
    for number in range(21):
        time = number / 10
        gone = 8.0 * max(0.0, time - 0.5)
        rows.append(f"one.xosc,{time},Ego,{5 + 4 * time},-1.75,0,4,-1")
        rows.append(
            f"one.xosc,{time},Other,{50 + gone + shift_m},-1.75,0,{8 if time > 0.5 else 0},-1"
        )
    path = folder / "trace.csv.gz"
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    return path


def test_the_verb_says_what_was_played_and_how_close(tmp_path: Path) -> None:
    _own(tmp_path)
    result = tmp_path / "result.json"
    words = ["scenarios", "--suite", str(tmp_path), "--reference", str(_trace(tmp_path)),
             "--json", str(result)]  # fmt: skip
    assert CliRunner().invoke(app, words, standalone_mode=False).return_value == 0
    report = json.loads(result.read_text())
    assert report["schema"] == "marque.prove.scenarios/1"
    assert (report["played"], report["unsupported"], report["passed"]) == (1, 0, True)
    assert report["worst_m"] < 1e-3
    _trace(tmp_path, shift_m=0.2)
    assert CliRunner().invoke(app, words, standalone_mode=False).return_value == 1
    assert json.loads(result.read_text())["worst_m"] == pytest.approx(0.2, abs=1e-3)


def test_what_is_not_supported_is_reported_and_fails(tmp_path: Path) -> None:
    path = _own(tmp_path)
    path.write_text(path.read_text().replace("TeleportAction", "FlyAction"))
    report = run(Order(tmp_path))
    assert (report["played"], report["unsupported"], report["passed"]) == (0, 1, False)
    assert "<FlyAction> is not supported" in report["files"][0]["refused"]


def test_contacts_are_seen(tmp_path: Path) -> None:
    init = begin("Ego", teleport(at_lane(-1, 5.0)), speed(10.0)) + begin(
        "Other", teleport(at_lane(-1, 20.0))
    )
    path = write(tmp_path, text(init, "", when(after(2.0), tag="StopTrigger")))
    played = play(path)
    assert played.contact == (pytest.approx(1.0, abs=0.051), "Other")
    assert (played.end, played.duration_s) == ("scenario over", pytest.approx(2.0))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"file,t_s\n", "lacks the columns"),
        (b"file,t_s,name,x_m,y_m,heading_rad,speed_mps\na,0,Ego,x,0,0,0\n", "no table of traces"),
        (b"\xff\xfe", "no table of traces"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(MarqueError, match=words):
        read_traces(path)


def test_folders_that_hold_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(MarqueError, match="no folder"):
        find_files(tmp_path / "none")
    with pytest.raises(MarqueError, match="holds no scenario file"):
        find_files(tmp_path)


def test_somebody_whom_the_scenario_has_not(tmp_path: Path) -> None:
    path = _own(tmp_path)
    traces = {"Third": {0: (0.0, 0.0, 0.0, 0.0)}}
    with pytest.raises(MarqueError, match="the trace has 'Third'"):
        compare(play(path), traces)
