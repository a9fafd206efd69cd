"""Small enumerations shared by several nouns. Values are stable: they stand in files."""

from enum import IntEnum, IntFlag


class UserKind(IntEnum):
    """What a road user is."""

    CAR = 0
    TRUCK = 1
    BUS = 2
    MOTORCYCLE = 3
    BICYCLE = 4
    PEDESTRIAN = 5
    RAIL = 6
    OBSTACLE = 7


class SensorKind(IntEnum):
    """How a sensor sees: that decides what its detections hold."""

    CAMERA = 0
    RADAR = 1
    LIDAR = 2


class Integrity(IntEnum):
    """Whether the car knows where it is."""

    UNKNOWN = 0  # nothing of the pose may be relied on
    COASTING = 1  # from wheels and inertia alone: true within its covariance, which grows
    KNOWN = 2  # held by fixes that agree with the car's own motion


class Basis(IntFlag):
    """What a pose rests on at this instant."""

    NONE = 0
    GNSS = 1
    IMU = 2
    WHEELS = 4
    STEER = 8  # the yaw rate is guessed from the steering angle, because inertia is missing
    STANDSTILL = 16


class Reaction(IntEnum):
    """What is done when something is wrong; the higher, the more."""

    NONE = -1
    LOG = 0  # R0: noted, nothing else
    DEGRADE = 1  # R1: slower and with more headway
    TAKEOVER = 2  # R2: the person is asked to take over, and we drive on as for R1
    STOP = 3  # R3: a soft stop in lane
    HARD = 4  # R4: our pose may not be used; the guard brakes with the wheel held


class LaneKind(IntEnum):
    """What a lane is for. A connector (lane across a junction) has the kind of its traffic."""

    DRIVE = 0
    BUS = 1
    BIKE = 2
    WALK = 3
    SHOULDER = 4
    OTHER = 5


class Allow(IntEnum):
    """Bits of `RoadMap.lane_allow`: who may use a lane."""

    CAR = 1
    TRUCK = 2
    BUS = 4
    BICYCLE = 8
    PEDESTRIAN = 16
    MOTORCYCLE = 32


class Turn(IntEnum):
    """Where a connector leads."""

    NONE = 0  # not a connector
    STRAIGHT = 1
    LEFT = 2
    RIGHT = 3
    U_TURN = 4


class Control(IntEnum):
    """What governs the entry to a connector."""

    FREE = 0  # priority road, or nothing to yield to
    YIELD = 1
    STOP = 2
    ALL_WAY_STOP = 3
    RIGHT_BEFORE_LEFT = 4
    SIGNAL = 5
    ROUNDABOUT = 6  # entry yields to circulating traffic
    ZIPPER = 7


class ConflictKind(IntEnum):
    """How two connectors meet."""

    CROSS = 0
    MERGE = 1
    DIVERGE = 2


class SignalState(IntEnum):
    """State of one signal head."""

    UNKNOWN = 0
    RED = 1
    AMBER = 2
    GREEN = 3  # protected
    GREEN_YIELD = 4  # green, but yield to higher priority (permissive)
    RED_AMBER = 5
    OFF = 6  # dark or blinking: priority rules hold
    STOP_THEN_GO = 7  # e.g. green arrow: stop, then go when clear


class Furniture(IntEnum):
    """What stands or lies on a road for drivers to read."""

    SIGNAL = 0
    STOP_LINE = 1
    LIMIT = 2  # a speed limit sign
    NO_ENTRY = 3


class Indicator(IntEnum):
    """Direction indicator."""

    OFF = 0
    LEFT = 1
    RIGHT = 2
    HAZARD = 3


class Reason(IntEnum):
    """Why the car is slower than it could be. Exactly one is active at any time."""

    NONE = 0  # free driving at the limit
    SPEED_UP = 1  # still accelerating towards the limit
    CURVE = 2
    LEAD = 3  # following a slower road user
    RED_LIGHT = 4
    AMBER_LIGHT = 5
    STOP_SIGN = 6
    YIELD = 7
    RIGHT_BEFORE_LEFT = 8
    ONCOMING = 9  # left turn waits for oncoming traffic
    ROUNDABOUT = 10
    CROSSWALK = 11
    PEDESTRIAN = 12
    CYCLIST = 13
    LANE_CHANGE = 14  # adapting to a gap, or waiting for one
    MERGE = 15
    BLOCKED_LANE = 16
    EXIT_BLOCKED = 17  # no room beyond the junction: never block the box
    BUS_STOP = 18
    OCCLUSION = 19
    GOAL = 20
    GUARD = 21
    FALLBACK = 22
    SIGNAL_UNKNOWN = 23
    NO_ROUTE = 24
    SPEED_LIMIT_AHEAD = 25
    RAIL_CROSSING = 26
    SENSES = 27  # not all senses can be relied on
    TAKEOVER = 28  # nobody took over: the minimal risk manoeuvre
