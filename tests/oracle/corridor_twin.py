"""Slow twin of the speed profile's pass from the end to the start."""


def backward(cap, step, brake, jerk):
    """Each speed from the next: braking builds up by `jerk` per second of driving, to `brake`."""
    out = list(cap)
    braking = 0.0
    for i in reversed(range(len(cap) - 1)):
        after = out[i + 1]
        braking = min(brake, braking + jerk * step / max(after, 0.7))
        reach = (after**2 + 2.0 * braking * step) ** 0.5
        out[i] = min(reach, cap[i])
        if reach >= cap[i]:  # the cap binds: what braking it really takes
            braking = min(brake, max(0.0, (cap[i] ** 2 - after**2) / (2.0 * step)))
    return out
