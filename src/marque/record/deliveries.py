"""A delivery of sensors as bytes (`marque.Delivery`) and back, bit for bit, as ticks are."""

import struct

import numpy as np

from marque.record.proto import block, by_number, first, long, real, whole
from marque.record.schemas import GNSS, OBJECTS
from marque.types.reading import Bus, Delivery, Gnss, Imu, ObjectList

_STAMP = struct.Struct("<Bq")  # field 1, which is the first of every message here
_FIRST_OBJECT, _FIRST_GNSS = 3, 2


def encode_delivery(delivery: Delivery) -> bytes:
    """One `marque.Delivery` message; its stamp comes first."""
    return b"".join(
        (
            _stamp(delivery.t_ns),
            *(block(2, _encode_imu(one)) for one in delivery.imu),
            *(block(3, _encode_gnss(one)) for one in delivery.gnss),
            *(block(4, _encode_bus(one)) for one in delivery.bus),
            *(block(5, _encode_objects(one)) for one in delivery.objects),
        )
    )


def decode_delivery(data: bytes) -> Delivery:
    """The delivery that `encode_delivery` wrote. Raises ValueError when the bytes are none."""
    found = by_number(memoryview(data))
    return Delivery(
        long(first(found, 1)),
        tuple(_decode_imu(part) for part in found.get(2, ())),
        tuple(_decode_gnss(part) for part in found.get(3, ())),
        tuple(_decode_bus(part) for part in found.get(4, ())),
        tuple(_decode_objects(part) for part in found.get(5, ())),
    )


def stamp_of(payload: bytes) -> int:
    """`t_ns` of an encoded delivery, without decoding the rest."""
    return int(_STAMP.unpack_from(payload)[1])


def _stamp(t_ns: int) -> bytes:
    return _STAMP.pack(0x09, t_ns)


def _packed(number: int, values: tuple[float, ...]) -> bytes:
    return block(number, struct.pack(f"<{len(values)}d", *values))


def _encode_imu(imu: Imu) -> bytes:
    return _stamp(imu.t_ns) + _packed(2, imu.accel_mps2) + _packed(3, imu.gyro_radps)


def _encode_gnss(fix: Gnss) -> bytes:
    fields = (real(n, getattr(fix, name)) for n, name in enumerate(GNSS, start=_FIRST_GNSS))
    return _stamp(fix.t_ns) + b"".join(fields)


def _encode_bus(bus: Bus) -> bytes:
    return _stamp(bus.t_ns) + _packed(2, bus.wheel_mps) + real(3, bus.steer_rad)


def _encode_objects(objects: ObjectList) -> bytes:
    columns = (
        block(n, getattr(objects, name).astype(np.dtype(kind)).tobytes())
        for n, (name, kind) in enumerate(OBJECTS, start=_FIRST_OBJECT)
    )
    return _stamp(objects.t_ns) + whole(2, objects.sensor) + b"".join(columns)


def _reals(raw: memoryview) -> tuple[float, ...]:
    return struct.unpack(f"<{len(raw) // 8}d", raw)


def _decode_imu(data: memoryview) -> Imu:
    found = by_number(data)
    ax, ay, az = _reals(first(found, 2))
    gx, gy, gz = _reals(first(found, 3))
    return Imu(long(first(found, 1)), (ax, ay, az), (gx, gy, gz))


def _decode_gnss(data: memoryview) -> Gnss:
    found = by_number(data)
    values = [_reals(first(found, n))[0] for n, _ in enumerate(GNSS, start=_FIRST_GNSS)]
    return Gnss(long(first(found, 1)), *values)


def _decode_bus(data: memoryview) -> Bus:
    found = by_number(data)
    fl, fr, rl, rr = _reals(first(found, 2))
    return Bus(long(first(found, 1)), (fl, fr, rl, rr), _reals(first(found, 3))[0])


def _decode_objects(data: memoryview) -> ObjectList:
    found = by_number(data)
    columns = {
        name: np.frombuffer(first(found, n), dtype=np.dtype(kind)).copy()
        for n, (name, kind) in enumerate(OBJECTS, start=_FIRST_OBJECT)
    }
    return ObjectList(sensor=int(first(found, 2)), t_ns=long(first(found, 1)), **columns)
