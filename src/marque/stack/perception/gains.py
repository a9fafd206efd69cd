"""How much noisier a sensor is than its model says, learnt while driving.

Rain, dirt and data sheets make every fixed spread wrong, and a belief that is too sure is worse
than a poor one. The squared innovations of settled tracks, less what the belief itself explains,
average to the sensor's true variance (Mehra, "On the identification of variances and adaptive
Kalman filtering", IEEE TAC 15, 1970).
"""

import numpy as np

from marque.core.arrays import FloatArray
from marque.stack.perception.update import CHANNELS

Gains = FloatArray  # [S, 4, 2] sums of variance ratios, and their weights

PRIOR_WEIGHT = 200.0  # numbers measured until experience counts as much as the model
MOST_WEIGHT = 2000.0  # after so many more, old ones are forgotten
LEAST = 0.3
MOST = 12.0


def no_gains(sensors: int = 0) -> Gains:
    """Nothing learnt yet: the models as they are."""
    return np.full((sensors, CHANNELS, 2), PRIOR_WEIGHT)


def gain_rows(gains: Gains) -> FloatArray:
    """[S, 4] factors on the variances along, across, of heading and of speed."""
    rows: FloatArray = np.clip(gains[:, :, 0] / gains[:, :, 1], LEAST, MOST)
    return rows


def learn_gains(gains: Gains, learnt: FloatArray) -> Gains:
    """With what one cycle has taught: learnt [S, 4, 2], sums and how often."""
    total = gains + learnt
    over = np.maximum(1.0, total[:, :, 1] / (PRIOR_WEIGHT + MOST_WEIGHT))
    return total / over[:, :, None]
