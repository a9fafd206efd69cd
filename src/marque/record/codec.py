"""A tick as bytes (`marque.Tick`, version 1) and back, bit for bit.

Arrays are packed little-endian, floats as IEEE doubles, so nothing is rounded: what is read equals
what was written, not-a-number and signed zero included.
"""

import struct
from typing import Any

import numpy as np

from marque.guard.clauses import CLAUSES
from marque.record.proto import (
    block,
    by_number,
    doubles,
    first,
    interleave,
    long,
    tag,
    text,
    varint,
    whole,
)
from marque.record.schemas import EGO, TRAJECTORY, USERS
from marque.types.codes import Indicator, Reason
from marque.types.command import Command
from marque.types.episode import Tick
from marque.types.plan import Plan, Trajectory
from marque.types.verdict import Action, Verdict
from marque.types.world import EgoTruth, RoadUsers, World

TICK_VERSION = 1
_EGO = doubles(len(EGO))
_COMMAND = struct.Struct("<BqBdBdBB")
_LONG = struct.Struct("<Bq")
_REAL = struct.Struct("<Bd")
_F8 = np.dtype("<f8")
_USER_FIELDS = tuple((tag(n, 2), name, np.dtype(t)) for n, (name, t) in enumerate(USERS, start=1))
_PATH_FIELDS = tuple((tag(n, 2), name) for n, name in enumerate(TRAJECTORY, start=1))


def encode_tick(tick: Tick) -> bytes:
    """One `marque.Tick` message."""
    world = tick.world
    ego = world.ego
    parts = [
        _LONG.pack(0x09, world.t_ns),
        block(2, _EGO.pack(*interleave([getattr(ego, name) for name in EGO]))),
        block(3, _encode_users(world.users)),
        block(4, _bytes_of(world.heads, np.dtype("i1"))),
    ]
    if tick.plan is not None:
        parts.append(block(5, _encode_plan(tick.plan)))
    parts.append(block(6, _encode_command(tick.command)))
    parts.extend(block(7, _encode_verdict(verdict)) for verdict in tick.verdicts)
    parts.append(whole(8, int(tick.reason)))
    parts.append(_REAL.pack(0x49, tick.ego_jerk_mps3))
    return b"".join(parts)


def decode_tick(data: bytes) -> Tick:
    """The tick that `encode_tick` wrote. Raises ValueError when the bytes are none."""
    found = by_number(memoryview(data))
    command = _decode_command(first(found, 6))
    plan = found.get(5)
    return Tick(
        world=World(
            t_ns=long(first(found, 1)),
            ego=_decode_ego(first(found, 2)),
            users=_decode_users(first(found, 3)),
            heads=np.frombuffer(first(found, 4), dtype=np.int8).copy(),
        ),
        plan=None if plan is None else _decode_plan(plan[0]),
        command=command,
        verdicts=tuple(_decode_verdict(verdict) for verdict in found.get(7, ())),
        reason=Reason(first(found, 8)),
        ego_jerk_mps3=_real(first(found, 9)),
    )


def _bytes_of(array: Any, dtype: np.dtype[Any]) -> bytes:
    data: bytes = array.tobytes() if array.dtype == dtype else array.astype(dtype).tobytes()
    return data


def _encode_users(users: RoadUsers) -> bytes:
    parts: list[bytes] = []
    for key, name, dtype in _USER_FIELDS:
        data = _bytes_of(getattr(users, name), dtype)
        parts += (key, varint(len(data)), data)
    return b"".join(parts)


def _encode_path(path: Trajectory) -> bytes:
    parts: list[bytes] = []
    for key, name in _PATH_FIELDS:
        data = _bytes_of(getattr(path, name), _F8)
        parts += (key, varint(len(data)), data)
    return b"".join(parts)


def _encode_plan(plan: Plan) -> bytes:
    return b"".join(
        (
            _LONG.pack(0x09, plan.made_ns),
            _LONG.pack(0x11, plan.t_ns),
            block(3, _encode_path(plan.trajectory)),
            block(4, _encode_path(plan.fallback)),
            _LONG.pack(0x29, plan.valid_until_ns),
            text(6, plan.manoeuvre),
            whole(7, int(plan.reason)),
            _LONG.pack(0x41, plan.reason_uid),
            whole(9, int(plan.indicator)),
            *(block(10, text(1, name) + _REAL.pack(0x11, value)) for name, value in plan.margins),
        )
    )


def _encode_command(command: Command) -> bytes:
    return _COMMAND.pack(
        0x09,
        command.t_ns,
        0x11,
        command.accel_mps2,
        0x19,
        command.curvature_1pm,
        0x20,
        int(command.indicator),
    )


def _encode_verdict(verdict: Verdict) -> bytes:
    return b"".join(
        (
            _LONG.pack(0x09, verdict.t_ns),
            whole(2, int(verdict.action)),
            block(3, _encode_command(verdict.command)),
            text(4, verdict.rule),
            _REAL.pack(0x29, verdict.margin),
            whole(6, int(verdict.warning)),
        )
    )


def _real(raw: memoryview) -> float:
    return float(struct.unpack("<d", raw)[0])


def _decode_ego(data: memoryview) -> EgoTruth:
    return EgoTruth(*_EGO.unpack(data)[1::2])


def _decode_users(data: memoryview) -> RoadUsers:
    found = by_number(data)
    return RoadUsers(
        *(
            np.frombuffer(first(found, n), dtype=dtype).copy()
            for n, (_, _, dtype) in enumerate(_USER_FIELDS, start=1)
        )
    )


def _decode_path(data: memoryview) -> Trajectory:
    found = by_number(data)
    count = len(TRAJECTORY)
    return Trajectory(
        *(np.frombuffer(first(found, n), dtype=_F8).copy() for n in range(1, count + 1))
    )


def _decode_plan(data: memoryview) -> Plan:
    found = by_number(data)
    return Plan(
        made_ns=long(first(found, 1)),
        t_ns=long(first(found, 2)),
        trajectory=_decode_path(first(found, 3)),
        fallback=_decode_path(first(found, 4)),
        valid_until_ns=long(first(found, 5)),
        manoeuvre=str(first(found, 6), "utf-8"),
        reason=Reason(first(found, 7)),
        reason_uid=long(first(found, 8)),
        indicator=Indicator(first(found, 9)),
        margins=tuple(_decode_margin(margin) for margin in found.get(10, ())),
    )


def _decode_margin(data: memoryview) -> tuple[str, float]:
    found = by_number(data)
    return str(first(found, 1), "utf-8"), _real(first(found, 2))


def _decode_command(data: memoryview) -> Command:
    _, t_ns, _, accel, _, curvature, _, indicator = _COMMAND.unpack(data)
    return Command(t_ns, accel, curvature, Indicator(indicator))


def _decode_verdict(data: memoryview) -> Verdict:
    found = by_number(data)
    rule = str(first(found, 4), "utf-8")
    return Verdict(
        t_ns=long(first(found, 1)),
        action=Action(first(found, 2)),
        command=_decode_command(first(found, 3)),
        rule=rule,
        margin=_real(first(found, 5)),
        warning=bool(first(found, 6)),
        clause=CLAUSES.get(rule, ""),  # it follows from the rule, so it is not kept
    )
