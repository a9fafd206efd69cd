"""What a user can get wrong in a scenario: one sentence with the place, never a silent pass."""

import re
from pathlib import Path

import pytest

from marque.core.errors import MarqueError
from marque.sim.scenario.document import read_scenario
from marque.sim.scenario.parameters import OutsideConstraints
from scenario_files import (
    CAR,
    HEADER,
    after,
    at_lane,
    begin,
    event,
    in_state,
    of_entity,
    play_until,
    playing,
    set_variable,
    speed,
    story,
    teleport,
    text,
    when,
    write,
)

PLACED = begin("Ego", teleport(at_lane(-1, 10.0))) + begin("Other", teleport(at_lane(-1, 60.0)))


def _refused(folder: Path, content: str, *words: str) -> None:
    path = write(folder, content)
    with pytest.raises(MarqueError) as caught:
        read_scenario(path)
    said = str(caught.value)
    assert all(word in said for word in words), said
    assert "\n" not in said
    assert re.search(rf"{path.name}:\d+|{path.name}: ", said), said


def _declared(value: str, kind: str = "double", inside: str = "") -> str:
    return (
        f'<ParameterDeclaration name="p" parameterType="{kind}" value="{value}">{inside}'
        "</ParameterDeclaration>"
    )


def test_broken_xml(tmp_path: Path) -> None:
    _refused(tmp_path, text(PLACED).replace("</Init>", ""), "not well-formed")


def test_entities_of_xml_are_not_expanded(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "b">]>' + text(PLACED)
    _refused(tmp_path, bomb, "entities")


def test_another_format_or_version(tmp_path: Path) -> None:
    _refused(tmp_path, "<OpenDRIVE/>", "OpenSCENARIO")
    _refused(tmp_path, text().replace('revMajor="1"', 'revMajor="2"'), "version 2")


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (_declared("fast"), ("'fast'", "double")),
        (_declared("1.5", "integer"), ("'1.5'", "integer")),
        (_declared("-1", "unsignedInt"), ("unsignedInt",)),
        (_declared("maybe", "boolean"), ("neither true nor false",)),
        (_declared("1", "number"), ("'number'", "have")),
        (_declared("$q"), ("no parameter 'q'",)),
        (_declared("${1 +}"), ("ends too early",)),
        (_declared("${1"), ("closing bracket",)),
        (_declared("${sqrt(-1)}"), ("no value",)),
        (_declared("1") + _declared("2"), ("second time",)),
        (
            _declared("1", inside='<ConstraintGroup><ValueConstraint rule="like" value="1"/>'
                      "</ConstraintGroup>"),
            ("'like'", "lessThan"),
        ),
        ("<Parameter/>", ("<Parameter>", "not supported")),
    ],
)  # fmt: skip
def test_parameters(tmp_path: Path, declared: str, words: tuple[str, ...]) -> None:
    _refused(tmp_path, text(PLACED, declared=declared), *words)


def test_a_value_that_its_constraints_rule_out(tmp_path: Path) -> None:
    group = (
        '<ConstraintGroup><ValueConstraint rule="greaterThan" value="0"/>'
        '<ValueConstraint rule="lessThan" value="${2 * 5}"/></ConstraintGroup>'
    )
    other = '<ConstraintGroup><ValueConstraint rule="equalTo" value="20"/></ConstraintGroup>'
    path = write(tmp_path, text(PLACED, declared=_declared("5", inside=group + other)))
    assert read_scenario(path, {"p": "20"}).parameters["p"].value == 20.0
    with pytest.raises(OutsideConstraints, match=r"one\.xosc:1: parameter 'p' is 10"):
        read_scenario(path, {"p": "10"})


def test_a_parameter_that_is_given_but_not_declared(tmp_path: Path) -> None:
    path = write(tmp_path, text(PLACED, declared=_declared("5")))
    with pytest.raises(MarqueError, match=r"one\.xosc: no parameter 'P'; have \[p\]"):
        read_scenario(path, {"P": "10"})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<StopTrigger/>", "<StopTrigger/><Weather/>", ("<Weather>", "not supported")),
        ("<Init><", "<Init speed='3'><", ("'speed'",)),
        ("<TeleportAction>", "<JumpAction>", ("<JumpAction>", "TeleportAction")),
        ("LanePosition", "GeoPosition", ("<GeoPosition>", "not supported", "LanePosition")),
        ('s="10.0"', 's="far"', ("s='far'", "no finite number")),
        ('s="10.0"', 's="nan"', ("no finite number",)),
        ('laneId="-1"', 'laneId="-1.5"', ("no whole number",)),
        ('offset="0.0"', 'offset="0.0" side="left"', ("'side'", "unknown attribute")),
        ('vehicleCategory="car"', 'vehicleCategory="boat"', ("'boat'", "'car'")),
        ('<Dimensions length="5"', '<Dimensions length="0"', ("empty",)),
        ("<RoadNetwork>", "<RoadNetwork><RoadNetwork/>", ("<RoadNetwork>", "not supported")),
    ],
)
def test_elements_that_are_not_known_are_never_skipped(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    content = text(PLACED)
    assert old in content
    changed = content.replace(old, new)
    if old.startswith("<") and old.endswith("Action>"):
        changed = changed.replace(f"</{old[1:]}", f"</{new[1:]}")
    _refused(tmp_path, changed, *words)


def test_two_of_one_name(tmp_path: Path) -> None:
    _refused(tmp_path, text(PLACED, entities=("Ego", "Ego")), "second", "'Ego'")


CATALOG = f'<OpenSCENARIO>{HEADER}<Catalog name="cars">{CAR}</Catalog></OpenSCENARIO>'
LOCATED = '<VehicleCatalog><Directory path="catalogs"/></VehicleCatalog>'


def _object(catalog: str, entry: str, inside: str = "") -> str:
    return (
        f'<ScenarioObject name="C"><CatalogReference catalogName="{catalog}" entryName="{entry}">'
        f"{inside}</CatalogReference></ScenarioObject>"
    )


def test_catalogs(tmp_path: Path) -> None:
    (tmp_path / "catalogs").mkdir()
    (tmp_path / "catalogs" / "any.xosc").write_text(CATALOG)
    good = text(catalogs=LOCATED, objects=_object("cars", "car"))
    assert [each.name for each in read_scenario(write(tmp_path, good)).entities][-1] == "C"
    _refused(tmp_path, text(catalogs=LOCATED, objects=_object("vans", "car")), "no catalog 'vans'")
    _refused(tmp_path, text(catalogs=LOCATED, objects=_object("cars", "van")), "'van'", "[car]")
    assigned = (
        '<ParameterAssignments><ParameterAssignment parameterRef="x" value="1"/>'
        "</ParameterAssignments>"
    )
    _refused(
        tmp_path, text(catalogs=LOCATED, objects=_object("cars", "car", assigned)),
        "no parameter 'x'",
    )  # fmt: skip
    gone = LOCATED.replace('"catalogs"', '"elsewhere"')
    _refused(
        tmp_path, text(catalogs=gone, objects=_object("cars", "car")), "elsewhere", "does not exist"
    )


def test_a_trajectory_that_includes_itself(tmp_path: Path) -> None:
    ring = (
        '<Trajectory name="{0}" closed="false"><Shape><Polyline><Vertex><Position>'
        '<TrajectoryPosition s="0" t="0"><TrajectoryRef><CatalogReference catalogName="ways" '
        'entryName="{1}"/></TrajectoryRef></TrajectoryPosition></Position></Vertex><Vertex>'
        '<Position><WorldPosition x="0" y="0"/></Position></Vertex></Polyline></Shape></Trajectory>'
    )
    (tmp_path / "catalogs").mkdir()
    (tmp_path / "catalogs" / "ways.xosc").write_text(
        f'<OpenSCENARIO>{HEADER}<Catalog name="ways">{ring.format("one", "two")}'
        f"{ring.format('two', 'one')}</Catalog></OpenSCENARIO>"
    )
    follow = (
        "<PrivateAction><RoutingAction><FollowTrajectoryAction><TrajectoryRef><CatalogReference "
        'catalogName="ways" entryName="one"/></TrajectoryRef><TimeReference><None/></TimeReference>'
        '<TrajectoryFollowingMode followingMode="position"/></FollowTrajectoryAction>'
        "</RoutingAction></PrivateAction>"
    )
    located = '<TrajectoryCatalog><Directory path="catalogs"/></TrajectoryCatalog>'
    content = text(begin("Ego", follow), catalogs=located)
    path = write(tmp_path, content)
    with pytest.raises(MarqueError, match="includes itself: ways/one -> ways/two -> ways/one"):
        read_scenario(path)


@pytest.mark.parametrize(
    ("init", "stories", "words"),
    [
        (begin("Nobody", teleport(at_lane(-1, 1.0))), "", ("no entity 'Nobody'", "[Ego, Other]")),
        (begin("Ego", teleport(at_lane(-7, 1.0))), "", ("no lane -7",)),
        (begin("Ego", teleport(at_lane(-1, 900.0))), "", ("s=900",)),
        (
            begin("Ego", teleport(at_lane(-1, 1.0).replace('roadId="0"', 'roadId="9"'))),
            "",
            ("no road '9'",),
        ),
        (PLACED, story("Nobody", event("e", speed(3.0))), ("no entity 'Nobody'",)),
        (PLACED, story("Ego", event("e", set_variable("v", "1"))), ("no variable 'v'",)),
        (
            PLACED,
            story("Ego", event("e", speed(3.0), when(in_state("event", "x", "completeState")))),
            ("no event 'x'", "s::a::g::m::e"),
        ),
        (
            PLACED,
            story(
                "Ego",
                event(
                    "e",
                    speed(3.0),
                    when(
                        of_entity(
                            "Ego",
                            '<RelativeSpeedCondition entityRef="X" rule="lessThan" value="1"/>',
                        )
                    ),
                ),
            ),
            ("no entity 'X'",),
        ),
    ],
)
def test_what_cannot_be_carried_out(
    tmp_path: Path, init: str, stories: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(MarqueError) as caught:
        play_until(playing(tmp_path, text(init, stories)), 0.2)
    said = str(caught.value)
    assert all(word in said for word in words), said
    assert re.search(r"one\.xosc:\d+", said), said


def test_a_road_file_that_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path, text(PLACED, network='<LogicFile filepath="none.xodr"/>'))
    from marque.sim.scenario.player import Player

    with pytest.raises(MarqueError, match=r"none\.xodr"):
        Player(read_scenario(path))


def test_user_defined_values_are_refused(tmp_path: Path) -> None:
    condition = (
        '<ByValueCondition><UserDefinedValueCondition name="x" rule="equalTo" value="1"/>'
        "</ByValueCondition>"
    )
    content = text(PLACED, story("Ego", event("e", speed(3.0), when(condition))))
    _refused(tmp_path, content, "<UserDefinedValueCondition>", "not supported")


def test_a_time_that_no_file_reaches(tmp_path: Path) -> None:
    player = play_until(
        playing(tmp_path, text(PLACED, stop=when(after(0.3), tag="StopTrigger"))), 2
    )
    assert player.over and player.t_s == pytest.approx(0.3)
