"""SI inside; these factors stand at the border where people and files speak otherwise."""

KPH = 1.0 / 3.6  # m/s per km/h
MPH = 0.44704  # m/s per mile/h
G_MPS2 = 9.80665


def to_kph(speed_mps: float) -> float:
    """m/s to km/h."""
    return speed_mps / KPH
