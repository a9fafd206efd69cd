"""Fuse: what many sensors hand over, late and with errors, becomes one reading of now.

Own motion at 50 Hz from satellites, inertia, wheels and lane marks; road users by tracking and
signals by watching at 10 Hz. Before that, each delivery is held against what is believed, and what
is known to be wrong is left out (`health.py`). Everything downstream sees only this.
What was dropped or contradicted is counted under its name in the memories of the parts.
"""

from dataclasses import dataclass, replace

import numpy as np

from marque.core.time import PLAN_STEP_NS
from marque.stack.perception.chart import with_spots
from marque.stack.perception.health import (
    HealthMemory,
    fixes_hold,
    sensors_out,
    trusted,
    watch,
)
from marque.stack.perception.lights import Lights, watch_lights
from marque.stack.perception.localise import LocaliseMemory, Located, localise, undoubted
from marque.stack.perception.tracking import TrackMemory, track
from marque.stack.perception.unseen import UnseenMemory, watch_unseen
from marque.stack.perception.watch_lists import Around
from marque.types.codes import Integrity, Reaction
from marque.types.health import FINE, Health, joined
from marque.types.reading import (
    Delivery,
    Detections,
    EgoReading,
    LaneMarks,
    ObjectList,
    Reading,
    Sightings,
    SignalReading,
)
from marque.types.scene import Doubt, Scene, Tracks, Unseen

FRESH_NS = 200_000_000  # objects were seen so shortly ago, or their stamp says since when not


@dataclass(frozen=True, slots=True, eq=False)
class FuseMemory:
    """What fusing remembers, and what it has made of it last."""

    place: LocaliseMemory
    objects: TrackMemory
    lights: Lights
    watching: HealthMemory
    hidden: UnseenMemory | None = None  # None: there is no map that tells where somebody may be
    waiting: tuple[ObjectList, ...] = ()  # that have come since objects were last tracked
    signal: SignalReading | None = None  # the newest
    sighted: Sightings | None = None  # the newest
    marks: LaneMarks | None = None  # the newest
    tracks: Tracks | None = None
    doubt: Doubt | None = None  # how far the tracked can be off
    tracked: Detections | None = None  # the same for who looks for himself
    seen_ns: int = 0  # the newest list's stamp
    located: Located | None = None
    next_ns: int = 0
    steer_rad: float = 0.0


def fuse(memory: FuseMemory, delivery: Delivery) -> tuple[FuseMemory, Reading]:
    """One delivery in, one reading out."""
    if not memory.place.tuning.fixes:
        delivery = replace(delivery, gnss=())
    around = Around(memory.tracks, memory.doubt, memory.next_ns - PLAN_STEP_NS, memory.objects.past)
    watching = watch(memory.watching, delivery, around, memory.located)
    delivery = trusted(watching, delivery)
    before = memory.place if fixes_hold(watching) else undoubted(memory.place)
    place, located = localise(before, delivery)
    steer = delivery.bus[-1].steer_rad if delivery.bus else memory.steer_rad
    newest = max(delivery.signals, key=lambda each: each.t_ns, default=memory.signal)
    memory = replace(
        memory,
        place=place,
        watching=watching,
        located=located,
        steer_rad=steer,
        waiting=(*memory.waiting, *delivery.objects),
        signal=newest,
        sighted=max(delivery.sightings, key=lambda each: each.t_ns, default=memory.sighted),
        marks=max(delivery.marks, key=lambda each: each.t_ns, default=memory.marks),
    )
    usable = watching.health.level < Reaction.HARD
    ego = _ego(located, steer, usable)
    if delivery.t_ns >= memory.next_ns:
        memory = _look(memory, ego, delivery.t_ns)
    assert memory.tracked is not None
    signals = SignalReading(delivery.t_ns, memory.lights.state)
    return memory, Reading(
        delivery.t_ns, ego, memory.tracked, signals, memory.sighted, memory.marks
    )


def sensed(
    memory: FuseMemory | None, came: Reading | Delivery
) -> tuple[FuseMemory | None, Reading, Tracks | None]:
    """Exact senses need no fusing: what they read is passed on, and has no tracks yet."""
    if isinstance(came, Reading):
        return memory, came, None
    assert memory is not None
    memory, reading = fuse(memory, came)
    return memory, reading, memory.tracks


def health_of(memory: FuseMemory | None) -> Health:
    """What is wrong with the senses; with exact ones, nothing ever is."""
    return FINE if memory is None else memory.watching.health


def doubt_of(memory: FuseMemory | None) -> Doubt | None:
    """How far tracks may be off; exact ones are not."""
    return None if memory is None else memory.doubt


def unseen_by(memory: FuseMemory | None) -> Unseen | None:
    """Who may be where nobody can see; exact senses do not tell."""
    return None if memory is None or memory.hidden is None else memory.hidden.unseen


def whole_health(memory: FuseMemory | None, scene: Scene) -> Health:
    """What is wrong with the senses, with the lane that they show, and with the map."""
    return with_spots(joined(health_of(memory), scene.health), scene.chart)


def _look(memory: FuseMemory, ego: EgoReading, t_ns: int) -> FuseMemory:
    """Road users and signals, at 10 Hz."""
    objects, (tracks, doubt) = track(memory.objects, ego, memory.waiting, t_ns)
    newest = max((one.t_ns for one in memory.waiting if one.t_ns <= t_ns), default=0)
    seen_ns = max(memory.seen_ns, newest)
    found = Detections(
        t_ns=t_ns if t_ns - seen_ns <= FRESH_NS or memory.tracked is None else memory.tracked.t_ns,
        uid=tracks.uid,
        kind=tracks.kind,
        x_m=tracks.x_m,
        y_m=tracks.y_m,
        heading_rad=tracks.heading_rad,
        speed_mps=np.maximum(tracks.speed_mps, 0.0),
        accel_mps2=tracks.accel_mps2,
        length_m=tracks.length_m,
        width_m=tracks.width_m,
        indicator=tracks.indicator,
    )
    hidden = memory.hidden
    if hidden is not None:
        hidden = watch_unseen(hidden, ego, tracks, sensors_out(memory.watching), t_ns)
    return replace(
        memory,
        hidden=hidden,
        objects=objects,
        tracks=tracks,
        doubt=doubt,
        tracked=found,
        seen_ns=seen_ns,
        waiting=(),
        lights=watch_lights(memory.lights, memory.signal, t_ns),
        next_ns=t_ns + PLAN_STEP_NS,
    )


def _ego(located: Located, steer_rad: float, usable: bool) -> EgoReading:
    """Own motion; where we do not know where we are, or what would tell us is beyond use, its stamp
    says that it is of no use: the guard then brakes."""
    known = usable and located.integrity != Integrity.UNKNOWN
    return EgoReading(
        located.t_ns if known else -1,
        located.x_m,
        located.y_m,
        located.heading_rad,
        located.speed_mps,
        located.accel_mps2,
        located.yaw_rate_radps,
        steer_rad,
    )
