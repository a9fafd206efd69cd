"""Scores of tracking: what the judge is given, and what it says about plain cases."""

import sys

import numpy as np
import pytest

from marque.core.errors import MarqueError
from marque.metrics.tracking import TrackFrame, track_score

pytest.importorskip("trackeval", reason="needs the extra `tracking`")


def frame(k, true, found, judged=None):
    """true, found: uid -> (x, y)."""
    a = np.array(list(true.values()), float).reshape(len(true), 2)
    b = np.array(list(found.values()), float).reshape(len(found), 2)
    judged = list(true) if judged is None else judged
    return TrackFrame(
        t_ns=k * 100_000_000,
        true_uid=np.array(list(true), np.int64),
        true_x_m=a[:, 0].copy(),
        true_y_m=a[:, 1].copy(),
        judged=np.array([uid in judged for uid in true], np.bool_),
        uid=np.array(list(found), np.int64),
        x_m=b[:, 0].copy(),
        y_m=b[:, 1].copy(),
    )


def drive(find, count=50, judged=None):
    """Two cars side by side; find(k, truth) -> what is believed."""
    out = []
    for k in range(count):
        truth = {1: (k * 1.0, 0.0), 2: (k * 1.0, 3.5)}
        out.append(frame(k, truth, find(k, truth), judged))
    return out


def test_a_perfect_belief():
    score = track_score(drive(lambda k, truth: {7: truth[1], 9: truth[2]}), 0.5)
    assert (score.mota, score.hota, score.switches) == (1.0, pytest.approx(1.0), 0)
    assert score.judged == 100


def test_names_that_change_places():
    score = track_score(
        drive(lambda k, truth: {7: truth[1 + (k >= 25)], 9: truth[2 - (k >= 25)]}), 0.5
    )
    assert score.switches == 2
    assert score.switches_per_km == 4.0
    assert score.mota == pytest.approx(0.98)
    assert score.hota < 0.8
    assert score.detection == pytest.approx(1.0)


def test_missed_and_false():
    score = track_score(drive(lambda k, truth: {7: truth[1], 8: (k * 1.0, 30.0)}), 0.5)
    assert (score.missed, score.false) == (50, 50)
    assert score.mota == pytest.approx(0.0)


def test_nobody_is_blamed_for_who_is_not_judged():
    seen = track_score(drive(lambda k, truth: {7: truth[1], 9: truth[2]}, judged=[1]), 0.5)
    unseen = track_score(drive(lambda k, truth: {7: truth[1]}, judged=[1]), 0.5)
    for score in (seen, unseen):
        assert (score.mota, score.false, score.missed) == (1.0, 0, 0)


def away(gap):
    """One car, 20 frames seen, `gap` not judged, then under another name."""
    out = []
    for k in range(40 + gap):
        hidden = 20 <= k < 20 + gap
        name = 7 if k < 20 else 8
        found = {} if hidden else {name: (1.0 * k, 0.0)}
        out.append(frame(k, {1: (1.0 * k, 0.0)}, found, [] if hidden else [1]))
    return out


def test_who_was_away_for_long_is_a_stranger():
    assert track_score(away(40), 1.0).switches == 1
    assert track_score(away(60), 1.0).switches == 0


def leaping(leap):
    """A walker at 1 m/s that is set `leap` metres aside after 20 frames, and found at once."""
    out = []
    for k in range(40):
        at = (0.1 * k, leap if k >= 20 else 0.0)
        out.append(frame(k, {1: at}, {7 if k < 20 else 8: at}))
    return out


def test_whom_the_simulator_sets_anew_is_a_stranger():
    assert track_score(leaping(0.5), 1.0).switches == 1
    assert track_score(leaping(1.2), 1.0).switches == 0


def test_position_error_and_empty_drives():
    score = track_score(drive(lambda k, truth: {7: (k + 0.3, 0.0), 9: (k - 0.3, 3.5)}), 0.0)
    assert score.position_rms_m == pytest.approx(0.3)
    assert np.isnan(score.switches_per_km)
    assert track_score([], 1.0).mota == 1.0
    assert track_score(drive(lambda k, truth: {}), 1.0).mota == 0.0


def test_a_name_twice_is_refused():
    bad = frame(0, {1: (0.0, 0.0)}, {})
    twice = TrackFrame(
        0, bad.true_uid, bad.true_x_m, bad.true_y_m, bad.judged,
        np.array([4, 4]), np.zeros(2), np.zeros(2),
    )  # fmt: skip
    with pytest.raises(MarqueError, match="frame 0 holds a road user or a track twice"):
        track_score([twice], 1.0)


def test_without_the_judge_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "trackeval.metrics", None)
    with pytest.raises(MarqueError, match=r"pip install 'marque\[tracking\]'"):
        track_score([], 1.0)
