"""Checksums and counters of messages whose DBC does not say how they are made.

Rules as opendbc's safety model checks them (MIT); names are used by the files in `families/`.
"""

from collections.abc import Callable

WHEEL_PARTS = (1, 3, 5, 7)  # bytes whose two highest bits are counter or checksum


def hyundai_wheels(data: bytes) -> int:
    """WHL_SPD11: the number of set bits, without counter and checksum."""
    count = sum((b & (0x3F if i in WHEEL_PARTS else 0xFF)).bit_count() for i, b in enumerate(data))
    return (count ^ 9) & 15


def hyundai_engine(data: bytes) -> int:
    """EMS16: what makes the sum of nibbles a multiple of 16."""
    return _nibbles([*data[:7], data[7] & 0xF0])


def hyundai_brakes(data: bytes) -> int:
    """TCS13: the same, of seven bytes."""
    return _nibbles([*data[:6], data[6] & 0xF0])


def hyundai_cruise(data: bytes) -> int:
    """SCC12: the same, checksum in the upper nibble."""
    return _nibbles([*data[:7], data[7] & 0x0F])


def _nibbles(data: list[int]) -> int:
    return -sum((b & 15) + (b >> 4) for b in data) % 16


def ford_speed(data: bytes) -> int:
    """BrakeSysFeatures."""
    return (0xFF - (data[0] + data[1] + (data[2] >> 6) + ((data[2] >> 2) & 15))) & 0xFF


def ford_yaw(data: bytes) -> int:
    """Yaw_Data_FD1."""
    flags = (data[6] >> 6) + ((data[6] >> 4) & 3)
    return (0xFF - (sum(data[:4]) + data[5] + flags)) & 0xFF


def _crc8(data: bytes, final: int) -> int:
    """Polynomial 0x1D over all but the first byte."""
    crc = 0
    for byte in data[1:]:
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1D) & 0xFF if crc & 0x80 else (crc << 1) & 0xFF
    return crc ^ final


def rivian_speed(data: bytes) -> int:
    """ESP_Status."""
    return _crc8(data, 0xB1)


def rivian_pedal(data: bytes) -> int:
    """VDM_PropStatus."""
    return _crc8(data, 0x9A)


KINDS: dict[str, Callable[[bytes], int]] = {
    f.__name__: f
    for f in (
        hyundai_wheels, hyundai_engine, hyundai_brakes, hyundai_cruise, ford_speed, ford_yaw,
        rivian_speed, rivian_pedal,
    )
}  # fmt: skip
