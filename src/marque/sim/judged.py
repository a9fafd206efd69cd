"""The judgement of a drive with names: who was hit, and what went wrong in words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marque.core.time import nanoseconds, seconds
from marque.maps.lookup import LaneIndex
from marque.metrics.summary import Judgement, judge
from marque.types.episode import Episode, Event

# key of the numbers -> how a fault reads; every one of them fails a drive
FAULTS = {
    "collisions_at_fault": "{} collisions at fault",
    "red_light": "{} red lights run",
    "off_road_s": "{} s off the road",
    "wrong_way_s": "{} s on the wrong side",
    "stuck": "stuck {} times",
}


def judged(
    episode: Episode,
    index: LaneIndex,
    reference_duration_s: float | None,
    names: Mapping[int, str],
) -> Judgement:
    """`metrics.summary.judge`, with the traffic's own names of those hit, and an event for each
    contact and for each moment that counts.

    `collisions_other` becomes the list of contacts that are not at fault.
    """
    verdict = judge(episode, index, reference_duration_s)
    numbers = dict(verdict.numbers)
    hits: list[dict[str, Any]] = [
        hit | {"who": names.get(hit["uid"], "")} for hit in numbers.pop("collisions")
    ]
    numbers["collisions_other"] = [hit for hit in hits if not hit["at_fault"]]
    numbers["collisions"] = hits
    for hit in hits:
        side = "at fault" if hit["at_fault"] else "not at fault"
        text = f"collision with {hit['kind']} '{hit['who']}', {side}: {hit['reason']}"
        t_ns = nanoseconds(hit["t_s"])
        episode.events.append(Event(t_ns, "collision", text, hit["x_m"], hit["y_m"]))
    numbers["moments"] = []
    for moment in verdict.moments:
        world = episode.ticks[moment.frame].world
        x_m, y_m = float(world.ego.x_m), float(world.ego.y_m)
        episode.events.append(Event(world.t_ns, moment.kind, moment.text, x_m, y_m))
        place = {"t_s": seconds(world.t_ns), "x_m": round(x_m, 2), "y_m": round(y_m, 2)}
        numbers["moments"].append({"kind": moment.kind, **place, "text": moment.text})
    return replace(verdict, numbers=numbers)


def fault_words(numbers: Mapping[str, Any]) -> list[str]:
    """What was at fault, in words; empty when nothing was."""
    return [words.format(f"{numbers[key]:g}") for key, words in FAULTS.items() if numbers[key]]
