"""The report of a drive: one HTML file that needs nothing else, not even a network.

Everything in it is computed from the Episode and from the numbers handed in; the style sheet and
the script stand beside this module and are copied into the page.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from marque.core.arrays import FloatArray
from marque.core.errors import MarqueError
from marque.core.files import write_text
from marque.core.units import to_kph
from marque.draw.route_map import SPEED_CLASSES_KPH, route_map
from marque.draw.story import (
    FREE,
    WORDS,
    Curves,
    Pause,
    curves,
    limits,
    pauses,
    seconds_per_reason,
    segments,
)
from marque.draw.svg import Curve, bands, clock, histogram, line_chart
from marque.record.hashing import episode_hash
from marque.types.codes import Reason
from marque.types.episode import Episode

FAMILIES: tuple[tuple[str, str, tuple[Reason, ...]], ...] = (
    ("r-signal", "signals", (Reason.RED_LIGHT, Reason.AMBER_LIGHT, Reason.SIGNAL_UNKNOWN)),
    (
        "r-way",
        "right of way",
        (
            Reason.STOP_SIGN,
            Reason.YIELD,
            Reason.RIGHT_BEFORE_LEFT,
            Reason.ONCOMING,
            Reason.ROUNDABOUT,
            Reason.EXIT_BLOCKED,
            Reason.OCCLUSION,
            Reason.RAIL_CROSSING,
        ),
    ),
    ("r-lead", "others ahead", (Reason.LEAD, Reason.BLOCKED_LANE, Reason.BUS_STOP)),
    ("r-soft", "on foot or bicycle", (Reason.CROSSWALK, Reason.PEDESTRIAN, Reason.CYCLIST)),
    ("r-lane", "changing lane, merging", (Reason.LANE_CHANGE, Reason.MERGE)),
    ("r-road", "curves and limits", (Reason.CURVE, Reason.SPEED_LIMIT_AHEAD)),
    ("r-goal", "goal", (Reason.GOAL,)),
    ("r-guard", "guard and fall-back", (Reason.GUARD, Reason.FALLBACK, Reason.NO_ROUTE)),
    ("r-senses", "senses impaired, nobody at the wheel", (Reason.SENSES, Reason.TAKEOVER)),
)
_CSS_OF = {reason: css for css, _, reasons in FAMILIES for reason in reasons}
_SAMPLE_STEP = 2  # ticks between two positions of the cursor


def write_report(
    path: Path, episode: Episode, summary: Mapping[str, Any], timing: Mapping[str, Any]
) -> None:
    """Write `report.html`.

    summary: the object that `marque drive --json` writes (missing keys are left out of the page);
        `command` is the line that repeats the run.
    timing: `planner_ms`, one CPU time per tick, and `realtime_factor`; both optional.
    Raises MarqueError when the drive has no ticks or the file cannot be written.
    """
    if not episode.ticks:
        raise MarqueError(f"cannot write {path}: the drive ended before its first tick")
    line = curves(episode)
    listed = pauses(line)
    body = "".join(
        (
            _header(episode, line, summary),
            _tiles(line, listed, summary, timing),
            _map(episode, line, listed),
            _charts(line, limits(episode.road_map, line)),
            _pause_table(listed),
            '<div class="split">',
            _reasons(line),
            _latency(timing),
            "</div>",
            _comfort_and_events(episode, summary),
            _repeat(episode, summary),
        )
    )
    write_text(path, _page(_title(episode), body, _samples(line)))


def _page(title: str, body: str, samples: str) -> str:
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escape(title)}</title><style>{_asset('report.css')}</style></head>",
            f"<body><main>{body}</main>",
            f'<script type="application/json" id="drive">{samples}</script>',
            f"<script>{_asset('report.js')}</script></body></html>\n",
        )
    )


def _asset(name: str) -> str:
    return resources.files("marque.draw").joinpath(name).read_text(encoding="utf-8")


def _title(episode: Episode) -> str:
    name = episode.road_map.name
    return f"{name[:1].upper()}{name[1:]}, {episode.route_length_m / 1000:.1f} km"


def _header(episode: Episode, line: Curves, summary: Mapping[str, Any]) -> str:
    arrived = bool(summary.get("arrived", episode.end == "arrived"))
    end = episode.end or "not finished"
    chip = ("good", "arrived") if arrived else ("bad", end)
    parts = (
        ("driver", episode.driver),
        ("car", episode.platform.title),
        ("traffic", episode.traffic),
        ("seed", str(episode.seed)),
        ("map", episode.road_map.name),
    )
    facts = " · ".join(f"{name} <b>{escape(value)}</b>" for name, value in parts)
    return (
        f"<header><h1>{escape(_title(episode))}</h1>"
        f'<span class="chip {chip[0]}">{escape(chip[1])}</span>'
        f'<p class="facts">{facts}</p></header>'
    )


def _tiles(
    line: Curves, listed: Sequence[Pause], summary: Mapping[str, Any], timing: Mapping[str, Any]
) -> str:
    duration = float(summary.get("duration_s", line.t_s[-1]))
    distance = float(summary.get("distance_m", line.s_m[-1]))
    stops = [pause for pause in listed if pause.number]
    waited = sum(pause.stand_s for pause in stops)
    tiles = [
        _tile("distance", f"{distance / 1000:.2f}", "km"),
        _tile("time", clock(duration), "min", note=_reference(summary)),
        _tile("mean speed", f"{to_kph(distance / max(duration, 1e-9)):.0f}", "km/h"),
        _tile("top speed", f"{to_kph(float(line.speed_mps.max())):.0f}", "km/h"),
        _tile("stops", str(len(stops)), note=f"{waited:.0f} s standing"),
    ]
    if "collisions_at_fault" in summary:
        others = _count(summary.get("collisions_other", 0))
        note = f"{others} other" if others else "no other contacts"
        tiles.append(_verdict_tile("at-fault collisions", summary["collisions_at_fault"], note))
    for key, name in (("red_light", "red lights run"), ("guard_interventions", "guard stepped in")):
        if key in summary:
            tiles.append(_verdict_tile(name, summary[key], soft=key == "guard_interventions"))
    off = float(summary.get("off_road_s", 0.0)) + float(summary.get("wrong_way_s", 0.0))
    if "off_road_s" in summary:
        tiles.append(_tile("off road, wrong way", f"{off:.1f}", "s", css="bad" if off else "good"))
    factor = timing.get("realtime_factor", summary.get("realtime_factor"))
    if factor is not None:
        tiles.append(_tile("computed", f"{float(factor):.1f}", "× real time"))
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _reference(summary: Mapping[str, Any]) -> str:
    reference = summary.get("reference_duration_s")
    return f"reference driver {clock(float(reference))}" if reference else ""


def _count(value: Any) -> int:
    return len(value) if isinstance(value, (list, tuple, dict)) else int(value)


def _verdict_tile(name: str, value: Any, note: str = "", soft: bool = False) -> str:
    count = _count(value)
    css = ("warn" if soft else "bad") if count else "good"
    return _tile(name, str(count), note=note, css=css)


def _tile(name: str, value: str, unit: str = "", note: str = "", css: str = "") -> str:
    small = f" <small>{unit}</small>" if unit else ""
    below = f"<small>{escape(note)}</small>" if note else ""
    return f'<div class="tile {css}"><span>{name}</span><b>{value}{small}</b>{below}</div>'


def _map(episode: Episode, line: Curves, listed: Sequence[Pause]) -> str:
    colours = "".join(f'<i class="v{k}"></i>' for k in range(len(SPEED_CLASSES_KPH) + 1))
    names = ("0", *(f"{kph:g}" for kph in SPEED_CLASSES_KPH[1:]), "+")
    labels = "".join(f"<i>{name}</i>" for name in names)
    credit = episode.road_map.attribution
    return "".join(
        (
            '<section class="mapbox">',
            route_map(episode, line, listed),
            f'<div class="legend {_free_corner(episode, line)}">km/h',
            f'<div class="ramp">{colours}</div>',
            f'<div class="ramp">{labels}</div></div><div class="readout"></div>',
            f'<div class="credit">{escape(credit)}</div>' if credit else "",
            "</section>",
        )
    )


def _free_corner(episode: Episode, line: Curves) -> str:
    """Where the legend hides least of the way: the left side's lower or upper corner."""
    route = np.asarray(episode.route_xy_m, dtype=np.float64).reshape(-1, 2)
    ways = np.vstack((route, np.column_stack((line.x_m, line.y_m))))
    place = (ways - ways.min(axis=0)) / np.maximum(np.ptp(ways, axis=0), 1.0)
    left = place[place[:, 0] < 0.35]
    low, high = (left[:, 1] < 0.3).sum(), (left[:, 1] > 0.7).sum()
    return "top" if low > high else ""


def _charts(line: Curves, limit_mps: FloatArray) -> str:
    both = "".join(
        f'<div class="{css}">{_chart_stack(x, unit, line, limit_mps)}</div>'
        for css, x, unit in (("bytime", line.t_s, "s"), ("byway", line.s_m, "m"))
    )
    used = {_CSS_OF[reason] for reason in seconds_per_reason(line) if reason not in FREE}
    keys = "".join(
        f'<span><i class="key {css}"></i>{name}</span>' for css, name, _ in FAMILIES if css in used
    )
    return (
        '<section class="charts"><span class="switch">over '
        '<label><input type="radio" name="over" id="time" checked> time</label>'
        '<label><input type="radio" name="over" id="way"> distance</label></span>'
        f'<h2>How it drove</h2><div class="keys">{keys}</div>{both}</section>'
    )


def _chart_stack(x: FloatArray, unit: str, line: Curves, limit_mps: FloatArray) -> str:
    spans = [
        (a, b, _CSS_OF.get(reason, "r-free"), f"{clock(line.t_s[a])} {WORDS[reason]}")
        for a, b, reason in segments(line.reason)
    ]
    speed = [
        Curve("limit", to_kph_all(limit_mps), "limit", step=True),
        Curve("speed", to_kph_all(line.speed_mps), "blue", filled=True),
    ]
    accel = [
        Curve("lateral", line.lat_accel_mps2, "amber"),
        Curve("longitudinal", line.accel_mps2, "blue"),
    ]
    jerk = [Curve("jerk", line.jerk_mps3, "violet")]
    return "".join(
        (
            _chart_head("Speed, km/h", ("blue", "driven"), ("limit", "limit")),
            line_chart(x, speed, "km/h", height=190.0, low=0.0),
            bands(x, spans),
            _chart_head("Acceleration, m/s²", ("blue", "along"), ("amber", "sideways")),
            line_chart(x, accel, "m/s²", height=130.0),
            _chart_head("Jerk, m/s³", ("violet", "along, from acceleration at 10 Hz")),
            line_chart(x, jerk, "m/s³", height=130.0, labels=True, x_unit=unit),
        )
    )


def to_kph_all(speed_mps: FloatArray) -> FloatArray:
    """m/s to km/h [n]."""
    return 3.6 * speed_mps


def _chart_head(title: str, *keys: tuple[str, str]) -> str:
    listed = "".join(f'<span><i class="key thin {css}"></i>{name}</span>' for css, name in keys)
    return f'<h3>{title}</h3><div class="keys">{listed}</div>'


def _pause_table(listed: Sequence[Pause]) -> str:
    if not listed:
        return "<section><h2>Stops and slowdowns</h2><p>None: it drove freely.</p></section>"
    rows = "".join(_pause_row(pause) for pause in listed)
    return (
        "<section><h2>Every stop and slowdown, and why</h2>"
        '<div class="scroll"><table><thead><tr><th></th><th class="n">at</th><th class="n">place'
        '</th><th>why</th><th class="n">lasted</th><th class="n">stood</th>'
        f'<th class="n">km/h</th></tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _pause_row(pause: Pause) -> str:
    css = _CSS_OF.get(pause.reasons[0][0], "r-free")
    stood = f"{pause.stand_s:.1f} s" if pause.number else ""
    mark = f'<span class="num">{pause.number}</span>' if pause.number else ""
    return (
        f'<tr class="{"" if pause.number else "slow"}" data-t="{pause.t_s:.1f}"><td>{mark}</td>'
        f'<td class="n">{clock(pause.t_s)}</td><td class="n">{pause.at_m / 1000:.2f} km</td>'
        f'<td class="w"><i class="key {css}"></i>{escape(pause.words)}</td>'
        f'<td class="n">{pause.duration_s:.1f} s</td><td class="n">{stood}</td>'
        f'<td class="n">{to_kph(pause.from_mps):.0f} → {to_kph(pause.low_mps):.0f}</td></tr>'
    )


def _reasons(line: Curves) -> str:
    seconds = seconds_per_reason(line)
    total = sum(seconds.values()) or 1.0
    order = sorted(seconds, key=lambda reason: (reason not in FREE, -seconds[reason]))
    bar = "".join(
        f'<i class="{_CSS_OF.get(reason, "r-free")}" style="flex:{seconds[reason]:.1f}" '
        f'title="{escape(WORDS[reason])}"></i>'
        for reason in order
    )
    rows = "".join(
        f'<tr><td class="w"><i class="key {_CSS_OF.get(reason, "r-free")}"></i>{WORDS[reason]}</td>'
        f'<td class="n">{seconds[reason]:.1f} s</td>'
        f'<td class="n">{100 * seconds[reason] / total:.0f} %</td></tr>'
        for reason in order
    )
    return (
        f'<section><h2>Where the time went</h2><div class="share">{bar}</div>'
        f"<table><tbody>{rows}</tbody></table></section>"
    )


def _latency(timing: Mapping[str, Any]) -> str:
    values = np.asarray(timing.get("planner_ms", ()), dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return ""
    p50, p99, top = np.percentile(values, (50, 99, 100))
    marks = [(f"median {p50:.1f} ms", p50), (f"p99 {p99:.1f} ms", p99)]
    return (
        "<section><h2>Planner, CPU time per 100 ms tick</h2>"
        f"{histogram(values, 'ms', marks)}"
        f'<p class="muted">{len(values)} ticks; median {p50:.2f}, p99 {p99:.2f}, '
        f"longest {top:.2f} ms; the last bar holds everything beyond.</p></section>"
    )


_COMFORT = (
    ("accel_p95_mps2", "acceleration, p95", "m/s²"),
    ("decel_p99_mps2", "deceleration, p99", "m/s²"),
    ("lat_accel_p99_mps2", "sideways, p99", "m/s²"),
    ("jerk_rms_mps3", "jerk, rms", "m/s³"),
)


def _comfort_and_events(episode: Episode, summary: Mapping[str, Any]) -> str:
    comfort = summary.get("comfort") or {}
    rows = "".join(
        f'<tr><td class="w">{name}</td><td class="n">{float(comfort[key]):.2f} {unit}</td></tr>'
        for key, name, unit in _COMFORT
        if comfort.get(key) is not None
    )
    met = summary.get("road_users_100m_mean")
    if met is not None:
        rows += (
            '<tr><td class="w">road users within 100 m, mean</td>'
            f'<td class="n">{float(met):.1f}</td></tr>'
        )
    events = "".join(
        f'<tr data-t="{event.t_ns / 1e9:.1f}"><td class="n">{clock(event.t_ns / 1e9)}</td>'
        f'<td class="k">{escape(event.kind.replace("_", " "))}</td>'
        f'<td class="w">{escape(event.text)}</td></tr>'
        for event in episode.events
    )
    left = f"<section><h2>Comfort and traffic</h2><table>{rows}</table></section>" if rows else ""
    right = (
        f'<section><h2>Events</h2><div class="scroll"><table>{events}</table></div></section>'
        if events
        else "<section><h2>Events</h2><p>None.</p></section>"
    )
    return f'<div class="split" style="margin-top:14px">{left}{right}</div>' if left else right


def _repeat(episode: Episode, summary: Mapping[str, Any]) -> str:
    command = summary.get("command")
    shown = f"<pre>{escape(str(command))}</pre>" if command else ""
    credit = episode.road_map.attribution
    return (
        f"<section><h2>Drive it again</h2>{shown}"
        f'<p class="muted">The same inputs give the same drive, bit for bit on one machine type; '
        f'its hash is</p><p class="hash">{episode_hash(episode)}</p></section>'
        f"<footer>Traffic by {escape(episode.traffic)}. "
        f"{f'Map data {escape(credit)}. ' if credit else ''}"
        "Drawn by marque from the recorded drive; click a row to see the place, scroll to zoom, "
        "double-click for the whole map.</footer>"
    )


def _samples(line: Curves) -> str:
    """What the cursor shows, as JSON."""
    pick = slice(None, None, _SAMPLE_STEP)
    data: dict[str, Any] = {
        name: np.round(values[pick], places).tolist()
        for name, values, places in (
            ("t", line.t_s, 1),
            ("s", line.s_m, 1),
            ("x", line.x_m, 1),
            ("y", line.y_m, 1),
            ("h", np.degrees(line.heading_rad), 0),
            ("v", line.speed_mps, 2),
        )
    }
    data["r"] = line.reason[pick].tolist()
    data["words"] = [WORDS[reason] for reason in Reason]
    return json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
