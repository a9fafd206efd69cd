"""Room for doubt: whoever is known less well than usual, because hidden for a moment, far off or
only just seen, is taken to be as much larger."""

from dataclasses import replace

import numpy as np

from marque.types.scene import Scene

USUAL_M = 0.15  # one sigma that our distances to others are laid out for; nearly everybody has less
# beyond this nobody is taken to be larger: a track hidden for longer would fill its lane and ours
MOST_ALONG_M, MOST_ACROSS_M = 1.0, 0.4


def roomier(scene: Scene) -> Scene:
    """The scene as we plan in it: a sigma more than usual, on each side."""
    doubt, tracks = scene.doubt, scene.tracks
    if doubt is None:
        return scene
    along = np.clip(doubt.along_sigma_m - USUAL_M, 0.0, MOST_ALONG_M)
    across = np.clip(doubt.across_sigma_m - USUAL_M, 0.0, MOST_ACROSS_M)
    grown = replace(
        tracks, length_m=tracks.length_m + 2.0 * along, width_m=tracks.width_m + 2.0 * across
    )
    return replace(scene, tracks=grown)
