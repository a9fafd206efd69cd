"""What moves a car: motors, batteries, engines, gears and brakes, at the wheels.

Input is the acceleration that the car's pedals ask for, late already by their actuators; output is
the acceleration that comes of it. Four kinds: electric; range extender (battery and a steady
generator); hybrid (power split: an engine that has to be started adds power); fuel (torque curve,
turbo, automatic gears, creep). Forces act at the wheels, along the road.

1. Wanted force: m' (drive - brake) + what a flat road takes from the car as its file declares it.
2. Drive gives what it can of it. Of braking, the motor regenerates (or the engine drags) what it
   can; friction brakes add the rest, late by `handover_s` where the motor's share falls.
3. The road takes drag (against the wind), rolling and grade from the true mass. Tyres give no more
   than their grip.
4. Work is booked: drive - regeneration - friction - road = gain of kinetic energy, exactly.

Parameters and state are slices of those of `dynamics`; what stands where is named below. Limits of
battery and regeneration by charge, temperature and speed are typical of lithium cells and of
production cars, not of one maker's.
"""

import math
from dataclasses import dataclass

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.jit import jit
from marque.core.units import G_MPS2
from marque.types.platform import Drivetrain, Platform

IDEAL, ELECTRIC, EXTENDER, HYBRID, FUEL = range(5)
KINDS = {"electric": ELECTRIC, "range_extender": EXTENDER, "hybrid": HYBRID, "fuel": FUEL}

# parameters
(
    KIND, GRADE, WIND, TRUE_MASS, MASS, DRAG, ROLLING, ROTATING, AUXILIARY,
    BRAKE_MOST, HANDOVER, FORCE, POWER, REGEN, REGEN_POWER, EFFICIENCY,
    ENERGY, BATTERY_POWER, BATTERY_LOW, WARMTH, GENERATOR, GENERATOR_START, GENERATOR_RAMP,
    GENERATOR_BELOW, ENGINE_POWER, TORQUE, IDLE, FULL, REDLINE, IDLE_SHARE, BOOST_SHARE, BOOST_S,
    START_S, ENGINE_DRAG, ENGINE_EFFICIENCY, RADIUS, SHIFT_DELAY, SHIFT_S, GAP, CREEP,
    GEARS,
) = range(41)  # fmt: skip
MOST_GEARS = 12
RATIOS = GEARS + 1
PARAMETERS = RATIOS + MOST_GEARS

# state
(
    BLEND, CHARGE, BATTERY_J, FUEL_J, DRIVE_J, REGEN_J, FRICTION_J, ROAD_J, GEAR, NEXT_GEAR,
    SHIFT_T, BOOST, ENGINE_T, ENGINE_W, GENERATOR_W, AVAILABLE, PULL_N, FRICTION_N, ROAD_N,
) = range(19)  # fmt: skip
STATE = 19

AIR_KGPM3 = 1.2
FADES_MPS = (0.8, 3.0)  # regeneration fades to none between these speeds
STALL_RPM = 1700.0  # of the torque converter, under load
CONVERTER = 0.7  # more torque at standstill, by this share
CREEPS_BELOW_MPS = 2.0
CRUISE_RPM, LUG_RPM = 1400.0, 1150.0  # no gear up below, one down
RESERVE = 1.15  # of force in the gear above
SHIFT_AGAIN_S = 0.7
STARTS_AT, RUNS_ON_S = 0.85, 5.0  # a hybrid's engine: share of the electric power; without need
LOW_CHARGE, EMPTY_CHARGE = 0.20, 0.10
TWO_PI_60 = 2.0 * math.pi / 60.0


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a car is driven in. Grade: rise per way, uphill positive; wind against the car."""

    grade: float = 0.0
    wind_mps: float = 0.0
    load_kg: float = 0.0
    friction: float | None = None  # None: the platform's
    charge: float = 0.6  # of the battery, 0 to 1
    battery_c: float = 20.0


NORMAL = Conditions()


def parameters(platform: Platform, conditions: Conditions = NORMAL) -> FloatArray:
    """[PARAMETERS] of a platform under conditions; all zero (`IDEAL`) without a drivetrain."""
    row = np.zeros(PARAMETERS)
    train = platform.drivetrain
    if train is None:
        return row
    row[KIND] = KINDS[platform.powertrain]
    row[GRADE] = math.sin(math.atan(conditions.grade))
    row[WIND] = conditions.wind_mps
    row[TRUE_MASS] = platform.mass_kg + conditions.load_kg
    row[MASS] = platform.mass_kg
    road, brakes = train.road, train.brakes
    row[DRAG : AUXILIARY + 1] = (
        0.5 * AIR_KGPM3 * road.drag_area_m2, road.rolling, road.rotating, road.auxiliary_w,
    )  # fmt: skip
    row[BRAKE_MOST], row[HANDOVER] = brakes.most_mps2, brakes.handover_s
    _parts(row, train)
    row[WARMTH] = min(1.0, max(0.15, 0.15 + 0.85 * (conditions.battery_c + 10.0) / 25.0))
    return row


def _parts(row: FloatArray, train: Drivetrain) -> None:
    """Motor, battery, generator, engine and gearbox, as far as there are any."""
    if (m := train.motor) is not None:
        row[FORCE : EFFICIENCY + 1] = (
            m.force_n, m.power_w, m.regen_mps2, m.regen_power_w, m.efficiency,
        )  # fmt: skip
    if (b := train.battery) is not None:
        row[ENERGY : BATTERY_LOW + 1] = b.energy_j, b.power_w, b.low_power_w
    if (g := train.generator) is not None:
        row[GENERATOR : GENERATOR_BELOW + 1] = g.power_w, g.start_s, g.ramp_wps, g.on_below
    if (e := train.engine) is not None:
        row[ENGINE_POWER : ENGINE_EFFICIENCY + 1] = (
            e.power_w, e.torque_nm, e.idle_rpm, e.full_rpm, e.max_rpm, e.idle_share,
            e.boost_share, e.boost_s, e.start_s, e.drag_nm, e.efficiency,
        )  # fmt: skip
    if (x := train.gearbox) is not None:
        row[RADIUS : CREEP + 1] = (
            x.wheel_radius_m, x.shift_delay_s, x.shift_s, x.gap, x.creep_mps2,
        )  # fmt: skip
        row[GEARS] = len(x.ratios)
        if train.motor is None:
            row[FORCE] = x.force_n
        row[RATIOS : RATIOS + len(x.ratios)] = x.ratios


def initial(platform: Platform, speed_mps: float, charge: float) -> FloatArray:
    """[STATE] of a car that rolls at a speed: the gear that fits, nothing booked."""
    z = np.zeros(STATE)
    z[CHARGE], z[SHIFT_T] = charge, -SHIFT_AGAIN_S
    row = parameters(platform)
    z[AVAILABLE] = platform.max_accel_mps2
    while z[GEAR] < row[GEARS] - 1 and _rpm(row, speed_mps, int(z[GEAR]) + 1) > CRUISE_RPM:
        z[GEAR] += 1
    return z


@jit
def road_force(p: FloatArray, mass: float, v: float, wind: float, grade: float) -> float:
    """Drag, rolling and grade against a car, N. Rolling sets in with the first centimetres."""
    air = v + wind
    rolling = p[ROLLING] * math.sqrt(1.0 - grade * grade) * min(1.0, v / 0.05)
    return float(p[DRAG] * air * abs(air) + mass * G_MPS2 * (rolling + grade))


@jit
def advance(
    p: FloatArray, z: FloatArray, v: float, drive: float, brake: float, friction: float, h: float
) -> float:
    """Acceleration over `h` seconds; `drive` and `brake` positive; state in place.

    friction: of the tyres, already less what steers.
    """
    inertia = p[MASS] * p[ROTATING]
    plain = road_force(p, p[MASS], v, 0.0, 0.0)
    wanted = inertia * (drive - brake) + plain
    kind = int(p[KIND])
    if kind == FUEL:
        pull, takes = _engine(p, z, v, wanted, h)
    else:
        takes = _regeneration(p, z, v) if wanted < 0.0 or drive < brake else 0.0
        pull = _hybrid(p, z, v, wanted, h) if kind == HYBRID else _electric(p, z, v, wanted, h)
        pull = max(pull, -takes)
        takes = min(takes, max(0.0, -wanted))
    share = 1.0 - math.exp(-h / p[HANDOVER]) if p[HANDOVER] > 1e-4 else 1.0
    z[BLEND] = takes if takes > z[BLEND] else z[BLEND] + share * (takes - z[BLEND])
    rubbing = min(max(0.0, -wanted - z[BLEND]), p[BRAKE_MOST] * p[MASS] * p[ROTATING])
    return _on_the_road(p, z, v, pull, rubbing, friction)


@jit
def _on_the_road(
    p: FloatArray, z: FloatArray, v: float, pull: float, rubbing: float, friction: float
) -> float:
    """Step 3: acceleration, with the tyres' grip; forces are kept for the books."""
    mass = p[TRUE_MASS]
    inertia = mass + (p[ROTATING] - 1.0) * p[MASS]
    against = road_force(p, mass, v, p[WIND], p[GRADE])
    accel = (pull - rubbing - against) / inertia
    grip = friction * G_MPS2 * math.sqrt(1.0 - p[GRADE] * p[GRADE])
    most = min(grip, grip - against / mass)
    least = max(-grip - G_MPS2 * abs(p[GRADE]), -grip - max(0.0, against / mass))
    if accel > most:
        pull -= (accel - most) * inertia
        accel = most
    elif accel < least:
        rubbing -= (least - accel) * inertia
        accel = least
    z[PULL_N], z[FRICTION_N], z[ROAD_N] = pull, rubbing, against
    return float(accel)


@jit
def book(p: FloatArray, z: FloatArray, v: float, after: float, accel: float, h: float) -> None:
    """Step 4, once the speed after `h` is known; what stopped the car short was friction."""
    inertia = p[TRUE_MASS] + (p[ROTATING] - 1.0) * p[MASS]
    short = inertia * ((after - v) / h - accel)  # N more than the forces booked so far
    pull, rubbing, against = z[PULL_N], z[FRICTION_N], z[ROAD_N]
    if short < 0.0:
        pull += short  # top speed
    else:
        rubbing -= short
        against += min(0.0, rubbing)
        rubbing = max(0.0, rubbing)
    way = 0.5 * (v + after) * h
    z[DRIVE_J] += max(0.0, pull) * way
    z[REGEN_J] += max(0.0, -pull) * way
    z[FRICTION_J] += rubbing * way
    z[ROAD_J] += against * way
    _spend(p, z, pull * way / h, h)


@jit
def _spend(p: FloatArray, z: FloatArray, power: float, h: float) -> None:
    """Fuel and charge for a power at the wheels (negative: regenerated), and for what idles."""
    kind = int(p[KIND])
    if kind == FUEL:
        idling = 0.03 * p[ENGINE_POWER] * (1.0 if power >= 0.0 else 0.3)
        z[FUEL_J] += h * (max(0.0, power) / p[ENGINE_EFFICIENCY] + idling + 3.0 * p[AUXILIARY])
        return
    burnt = 0.0
    if kind == HYBRID:
        burnt = z[ENGINE_W]
    elif kind == EXTENDER:
        burnt = z[GENERATOR_W]
    if burnt > 0.0:
        z[FUEL_J] += h * burnt / max(0.05, p[ENGINE_EFFICIENCY])
    electric = power - burnt if kind == HYBRID else power
    drawn = electric / p[EFFICIENCY] if electric > 0.0 else electric * p[EFFICIENCY]
    drawn += p[AUXILIARY] - (burnt if kind == EXTENDER else 0.0)
    z[BATTERY_J] += h * drawn
    z[CHARGE] = min(1.0, max(0.0, z[CHARGE] - h * drawn / p[ENERGY]))


@jit
def _regeneration(p: FloatArray, z: FloatArray, v: float) -> float:
    """Most braking force of the motor: by charge (full cells take none), cold, power and speed."""
    room = min(1.0, max(0.0, (1.0 - z[CHARGE]) / 0.08))
    fade = min(1.0, max(0.0, (v - FADES_MPS[0]) / (FADES_MPS[1] - FADES_MPS[0])))
    most = min(p[REGEN] * p[MASS], p[REGEN_POWER] / max(v, 0.5))
    return float(most * room * fade * p[WARMTH])


@jit
def _battery_w(p: FloatArray, z: FloatArray) -> float:
    """What the battery gives now."""
    full = (z[CHARGE] - EMPTY_CHARGE) / (LOW_CHARGE - EMPTY_CHARGE)
    full = min(1.0, max(0.0, full))
    return float((p[BATTERY_LOW] + full * (p[BATTERY_POWER] - p[BATTERY_LOW])) * p[WARMTH])


@jit
def _electric(p: FloatArray, z: FloatArray, v: float, wanted: float, h: float) -> float:
    """Force of a motor fed by the battery and, once it runs, a generator."""
    if p[GENERATOR] > 0.0:
        runs = z[CHARGE] < p[GENERATOR_BELOW]
        z[ENGINE_T] = min(z[ENGINE_T] + h, 1e3) if runs else 0.0
        aim = p[GENERATOR] if z[ENGINE_T] > p[GENERATOR_START] else 0.0
        step = p[GENERATOR_RAMP] * h
        z[GENERATOR_W] += min(step, max(-step, aim - z[GENERATOR_W]))
    supply = (_battery_w(p, z) + z[GENERATOR_W]) * p[EFFICIENCY]
    most = min(p[FORCE], min(p[POWER], supply) / max(v, 0.1))
    _publish(p, z, v, most)
    return float(min(wanted, most))


@jit
def _hybrid(p: FloatArray, z: FloatArray, v: float, wanted: float, h: float) -> float:
    """Motor first; the engine is started when it does not suffice, and adds power late.

    ENGINE_T: 0 off, then the time since it was cranked, negative while it runs on without need.
    """
    electric = min(p[POWER], _battery_w(p, z) * p[EFFICIENCY])
    need = max(0.0, wanted) * max(v, 0.1)
    asked = need > STARTS_AT * electric or z[CHARGE] < LOW_CHARGE
    if z[ENGINE_T] <= 0.0 and asked:
        z[ENGINE_T] = h
        z[SHIFT_T] = 0.0
    elif z[ENGINE_T] > 0.0:
        z[ENGINE_T] = min(z[ENGINE_T] + h, 1e3)
        z[SHIFT_T] = 0.0 if asked or need > 0.5 * electric else z[SHIFT_T] + h
        if z[SHIFT_T] > RUNS_ON_S:
            z[ENGINE_T] = 0.0
    runs = z[ENGINE_T] > p[START_S]
    aim = min(p[ENGINE_POWER], need) if runs else 0.0
    z[ENGINE_W] += (1.0 - math.exp(-h / max(p[BOOST_S], 0.05))) * (aim - z[ENGINE_W])
    most = min(p[FORCE], (electric + z[ENGINE_W]) / max(v, 0.1))
    whole = min(p[FORCE], (electric + p[ENGINE_POWER]) / max(v, 0.1))
    _publish(p, z, v, whole)
    pull = min(wanted, most)
    if 0.0 < z[ENGINE_T] <= p[START_S] and pull > 0.0:
        pull *= 1.0 - p[GAP]  # the motor cranks the engine
    return float(pull)


@jit
def _publish(p: FloatArray, z: FloatArray, v: float, most: float) -> None:
    """Tell the rest of the car how much acceleration it could have on a flat road now."""
    z[AVAILABLE] = (most - road_force(p, p[MASS], v, 0.0, 0.0)) / (p[MASS] * p[ROTATING])


@jit
def _rpm(p: FloatArray, v: float, gear: int) -> float:
    """Of the engine at a speed in a gear, the clutch closed."""
    return float(v / p[RADIUS] * p[RATIOS + gear] / TWO_PI_60)


@jit
def _most(p: FloatArray, v: float, gear: int, boost: float) -> float:
    """Most force in a gear with so much boost (0 to 1); below stall the converter slips."""
    turns = _rpm(p, v, gear)
    rpm = min(max(turns, STALL_RPM), p[REDLINE])
    rise = min(1.0, max(0.0, (rpm - p[IDLE]) / (p[FULL] - p[IDLE])))
    torque = p[TORQUE] * (p[IDLE_SHARE] + (1.0 - p[IDLE_SHARE]) * rise)
    torque = min(torque, p[ENGINE_POWER] / (rpm * TWO_PI_60))
    if turns > p[REDLINE]:
        torque = 0.0
    torque *= 1.0 - p[BOOST_SHARE] * (1.0 - boost)
    torque *= 1.0 + CONVERTER * max(0.0, 1.0 - turns / STALL_RPM)
    return float(min(p[FORCE], torque * 0.93 * p[RATIOS + gear] / p[RADIUS]))


@jit
def _engine(p: FloatArray, z: FloatArray, v: float, wanted: float, h: float) -> tuple[float, float]:
    """(force of the engine through its gears, drag that it gives without fuel)."""
    _shift(p, z, v, wanted, h)
    gear = int(z[GEAR])
    full = _most(p, v, gear, 1.0)
    most = _most(p, v, gear, z[BOOST])
    closed = min(1.0, _rpm(p, v, gear) / p[IDLE])
    drag = p[ENGINE_DRAG] * p[RATIOS + gear] / p[RADIUS] * closed * closed
    pull = min(max(wanted, -drag), most)
    if z[SHIFT_T] > p[SHIFT_DELAY] and pull > 0.0:
        pull *= 1.0 - p[GAP]
    creep = p[CREEP] * p[MASS] * (1.0 - v / CREEPS_BELOW_MPS)
    pull = max(pull, creep)
    aim = min(1.0, max(0.0, wanted) / max(1.0, full))
    late = p[BOOST_S] if aim > z[BOOST] else 0.3
    z[BOOST] += (1.0 - math.exp(-h / max(late, 0.02))) * (aim - z[BOOST])
    best = full
    if gear > 0:
        best = max(best, _most(p, v, gear - 1, 1.0))
    _publish(p, z, v, best)
    return pull, drag


@jit
def _shift(p: FloatArray, z: FloatArray, v: float, wanted: float, h: float) -> None:
    """Choose a gear; SHIFT_T runs from 0 through delay and gap, below 0 no shift may begin."""
    if z[SHIFT_T] > 0.0:
        z[SHIFT_T] += h
        if z[SHIFT_T] > p[SHIFT_DELAY]:
            z[GEAR] = z[NEXT_GEAR]
        if z[SHIFT_T] > p[SHIFT_DELAY] + p[SHIFT_S]:
            z[SHIFT_T] = -SHIFT_AGAIN_S
        return
    z[SHIFT_T] = min(0.0, z[SHIFT_T] + h)
    gear = int(z[GEAR])
    rpm = _rpm(p, v, gear)
    need = max(0.0, wanted)
    if gear > 0 and rpm < CRUISE_RPM and v < 1.0:
        z[GEAR] = 0.0  # at a stand nobody feels it
        return
    if z[SHIFT_T] < 0.0 and rpm < p[REDLINE]:
        return
    aim = gear
    if gear < p[GEARS] - 1 and _rpm(p, v, gear + 1) > CRUISE_RPM:
        above = _most(p, v, gear + 1, 1.0 - p[BOOST_SHARE] * 0.5)
        if above > RESERVE * need or rpm > 0.97 * p[REDLINE]:
            aim = gear + 1
    if aim == gear and gear > 0 and _rpm(p, v, gear - 1) < 0.9 * p[REDLINE]:
        weak = _most(p, v, gear, 1.0) < need
        if rpm < LUG_RPM or weak:
            aim = gear - 1
    if aim != gear:
        z[NEXT_GEAR] = aim
        z[SHIFT_T] = h
