"""What stands in a drive log: the message tables of every channel.

`foxglove.*` follow the published Foxglove schemas field by field, so that Foxglove and Lichtblick
show the drive without a plug-in. `marque.*` are our own; `marque.Tick` is version 1 and carries a
whole tick without loss. A changed meaning gets a new message name, never a re-used number.
"""

from marque.record.proto import Field, File, Message, describe

_TIME = "message:google.protobuf.Timestamp"
_POSE = "message:foxglove.Pose"
_VECTOR = "message:foxglove.Vector3"
_POINT = "message:foxglove.Point3"
_QUATERNION = "message:foxglove.Quaternion"
_COLOR = "message:foxglove.Color"
_PAIR = "message:foxglove.KeyValuePair"


def _message(
    name: str, *fields: str, enums: tuple[tuple[str, tuple[str, ...]], ...] = ()
) -> Message:
    """Fields written as `number name kind`, a star after the kind for `repeated`."""
    listed = []
    for field in fields:
        number, label, kind = field.split()
        listed.append(Field(int(number), label, kind.rstrip("*"), kind.endswith("*")))
    return Message(name, tuple(listed), enums)


def _doubles(name: str, *names: str) -> Message:
    return _message(name, *(f"{n} {label} double" for n, label in enumerate(names, start=1)))


_STAMP = _message("Timestamp", "1 seconds int64", "2 nanos int32")
_SPAN = _message("Duration", "1 seconds int64", "2 nanos int32")
GOOGLE = (
    File("google/protobuf/timestamp.proto", "google.protobuf", (_STAMP,)),
    File("google/protobuf/duration.proto", "google.protobuf", (_SPAN,)),
)

FOXGLOVE = File(
    "foxglove/marque_subset.proto",
    "foxglove",
    (
        _doubles("Vector3", "x", "y", "z"),
        _doubles("Point3", "x", "y", "z"),
        _doubles("Quaternion", "x", "y", "z", "w"),
        _doubles("Color", "r", "g", "b", "a"),
        _message("Pose", f"1 position {_VECTOR}", f"2 orientation {_QUATERNION}"),
        _message("KeyValuePair", "1 key string", "2 value string"),
        _message(
            "ArrowPrimitive",
            f"1 pose {_POSE}",
            "2 shaft_length double",
            "3 shaft_diameter double",
            "4 head_length double",
            "5 head_diameter double",
            f"6 color {_COLOR}",
        ),
        _message("CubePrimitive", f"1 pose {_POSE}", f"2 size {_VECTOR}", f"3 color {_COLOR}"),
        _message("SpherePrimitive", f"1 pose {_POSE}", f"2 size {_VECTOR}", f"3 color {_COLOR}"),
        _message(
            "CylinderPrimitive",
            f"1 pose {_POSE}",
            f"2 size {_VECTOR}",
            "3 bottom_scale double",
            "4 top_scale double",
            f"5 color {_COLOR}",
        ),
        _message(
            "LinePrimitive",
            "1 type enum:foxglove.LinePrimitive.Type",
            f"2 pose {_POSE}",
            "3 thickness double",
            "4 scale_invariant bool",
            f"5 points {_POINT}*",
            f"6 color {_COLOR}",
            f"7 colors {_COLOR}*",
            "8 indices fixed32*",
            enums=(("Type", ("LINE_STRIP", "LINE_LOOP", "LINE_LIST")),),
        ),
        _message(
            "TriangleListPrimitive",
            f"1 pose {_POSE}",
            f"2 points {_POINT}*",
            f"3 color {_COLOR}",
            f"4 colors {_COLOR}*",
            "5 indices fixed32*",
        ),
        _message(
            "TextPrimitive",
            f"1 pose {_POSE}",
            "2 billboard bool",
            "3 font_size double",
            "4 scale_invariant bool",
            f"5 color {_COLOR}",
            "6 text string",
        ),
        _message(
            "ModelPrimitive",
            f"1 pose {_POSE}",
            f"2 scale {_VECTOR}",
            f"3 color {_COLOR}",
            "4 override_color bool",
            "5 url string",
            "6 media_type string",
            "7 data bytes",
        ),
        _message(
            "SceneEntity",
            f"1 timestamp {_TIME}",
            "2 frame_id string",
            "3 id string",
            "4 lifetime message:google.protobuf.Duration",
            "5 frame_locked bool",
            f"6 metadata {_PAIR}*",
            "7 arrows message:foxglove.ArrowPrimitive*",
            "8 cubes message:foxglove.CubePrimitive*",
            "9 spheres message:foxglove.SpherePrimitive*",
            "10 cylinders message:foxglove.CylinderPrimitive*",
            "11 lines message:foxglove.LinePrimitive*",
            "12 triangles message:foxglove.TriangleListPrimitive*",
            "13 texts message:foxglove.TextPrimitive*",
            "14 models message:foxglove.ModelPrimitive*",
        ),
        _message(
            "SceneEntityDeletion",
            f"1 timestamp {_TIME}",
            "2 type enum:foxglove.SceneEntityDeletion.Type",
            "3 id string",
            enums=(("Type", ("MATCHING_ID", "ALL")),),
        ),
        _message(
            "SceneUpdate",
            "1 deletions message:foxglove.SceneEntityDeletion*",
            "2 entities message:foxglove.SceneEntity*",
        ),
        _message(
            "FrameTransform",
            f"1 timestamp {_TIME}",
            "2 parent_frame_id string",
            "3 child_frame_id string",
            f"4 translation {_VECTOR}",
            f"5 rotation {_QUATERNION}",
        ),
        _message(
            "Log",
            f"1 timestamp {_TIME}",
            "2 level enum:foxglove.Log.Level",
            "3 message string",
            "4 name string",
            "5 file string",
            "6 line fixed32",
            enums=(("Level", ("UNKNOWN", "DEBUG", "INFO", "WARNING", "ERROR", "FATAL")),),
        ),
        _message(
            "LocationFix",
            "1 latitude double",
            "2 longitude double",
            "3 altitude double",
            "4 position_covariance double*",
            "5 position_covariance_type enum:foxglove.LocationFix.PositionCovarianceType",
            f"6 timestamp {_TIME}",
            "7 frame_id string",
            f"8 color {_COLOR}",
            f"9 metadata {_PAIR}*",
            "10 heading double",
            f"11 velocity {_VECTOR}",
            enums=(
                (
                    "PositionCovarianceType",
                    ("UNKNOWN", "APPROXIMATED", "DIAGONAL_KNOWN", "KNOWN"),
                ),
            ),
        ),
    ),
    needs=tuple(file.name for file in GOOGLE),
)

USERS = (
    ("uid", "<i8"),
    ("kind", "i1"),
    ("x_m", "<f8"),
    ("y_m", "<f8"),
    ("heading_rad", "<f8"),
    ("speed_mps", "<f8"),
    ("accel_mps2", "<f8"),
    ("length_m", "<f8"),
    ("width_m", "<f8"),
    ("indicator", "i1"),
    ("lane", "<i4"),
)
TRAJECTORY = ("x_m", "y_m", "heading_rad", "curvature_1pm", "s_m", "speed_mps", "accel_mps2")
EGO = (
    "x_m",
    "y_m",
    "heading_rad",
    "speed_mps",
    "accel_mps2",
    "lat_accel_mps2",
    "yaw_rate_radps",
    "steer_rad",
)
GNSS = ("x_m", "y_m", "speed_mps", "course_rad", "position_sigma_m", "speed_sigma_mps")
OBJECTS = (
    ("x_m", "<f8"),
    ("y_m", "<f8"),
    ("score", "<f8"),
    ("has_kind", "?"),
    ("kind", "i1"),
    ("has_box", "?"),
    ("heading_rad", "<f8"),
    ("length_m", "<f8"),
    ("width_m", "<f8"),
    ("has_velocity", "?"),
    ("vx_mps", "<f8"),
    ("vy_mps", "<f8"),
    ("has_rate", "?"),
    ("rate_mps", "<f8"),
    ("has_indicator", "?"),
    ("indicator", "i1"),
)
_ARRAY_KIND = {
    "<i8": "sfixed64*",
    "i1": "bytes",
    "?": "bytes",
    "<f8": "double*",
    "<i4": "sfixed32*",
}

MARQUE = File(
    "marque/drive.proto",
    "marque",
    (
        _doubles("Ego", *EGO),
        _message(
            "Users",
            *(f"{n} {name} {_ARRAY_KIND[kind]}" for n, (name, kind) in enumerate(USERS, start=1)),
        ),
        _message(
            "Trajectory",
            *(f"{n} {name} double*" for n, name in enumerate(TRAJECTORY, start=1)),
        ),
        _message("Margin", "1 name string", "2 value double"),
        _message(
            "Command",
            "1 t_ns sfixed64",
            "2 accel_mps2 double",
            "3 curvature_1pm double",
            "4 indicator int32",
        ),
        _message(
            "Verdict",
            "1 t_ns sfixed64",
            "2 action int32",
            "3 command message:marque.Command",
            "4 rule string",
            "5 margin double",
            "6 warning bool",
        ),
        _message(
            "Plan",
            "1 made_ns sfixed64",
            "2 t_ns sfixed64",
            "3 trajectory message:marque.Trajectory",
            "4 fallback message:marque.Trajectory",
            "5 valid_until_ns sfixed64",
            "6 manoeuvre string",
            "7 reason int32",
            "8 reason_uid sfixed64",
            "9 indicator int32",
            "10 margins message:marque.Margin*",
        ),
        _message(
            "Tick",
            "1 t_ns sfixed64",
            "2 ego message:marque.Ego",
            "3 users message:marque.Users",
            "4 heads bytes",
            "5 plan message:marque.Plan",
            "6 command message:marque.Command",
            "7 verdicts message:marque.Verdict*",
            "8 reason int32",
            "9 ego_jerk_mps3 double",
        ),
        _message(
            "State",
            "1 speed_mps double",
            "2 accel_mps2 double",
            "3 lat_accel_mps2 double",
            "4 jerk_mps3 double",
            "5 yaw_rate_radps double",
            "6 steer_rad double",
            "7 command_accel_mps2 double",
            "8 users_100m int32",
            "9 reason string",
            "10 manoeuvre string",
            "11 guard string",
        ),
    ),
)

READINGS = File(
    "marque/readings.proto",
    "marque",
    (
        _message("Imu", "1 t_ns sfixed64", "2 accel_mps2 double*", "3 gyro_radps double*"),
        _message(
            "Gnss",
            "1 t_ns sfixed64",
            *(f"{n} {name} double" for n, name in enumerate(GNSS, start=2)),
        ),
        _message("Bus", "1 t_ns sfixed64", "2 wheel_mps double*", "3 steer_rad double"),
        _message(
            "Objects",
            "1 t_ns sfixed64",
            "2 sensor int32",
            *(f"{n} {name} {_ARRAY_KIND[kind]}" for n, (name, kind) in enumerate(OBJECTS, start=3)),
        ),
        _message(
            "Delivery",
            "1 t_ns sfixed64",
            "2 imu message:marque.Imu*",
            "3 gnss message:marque.Gnss*",
            "4 bus message:marque.Bus*",
            "5 objects message:marque.Objects*",
        ),
    ),
)

FOXGLOVE_SET = describe((*GOOGLE, FOXGLOVE))
MARQUE_SET = describe((MARQUE,))
READINGS_SET = describe((READINGS,))
EVENT_SCHEMA = (
    b'{"title":"marque.Event","type":"object","properties":{"t_ns":{"type":"integer"},'
    b'"kind":{"type":"string"},"text":{"type":"string"},"x_m":{"type":"number"},'
    b'"y_m":{"type":"number"}}}'
)
ORDER_SCHEMA = (
    b'{"title":"marque.Order","type":"object","properties":{"t_ns":{"type":"integer"},'
    b'"mode":{"type":"integer"},"cause":{"type":"integer"},"detail":{"type":"string"},'
    b'"visual":{"type":"boolean"},"acoustic":{"type":"boolean"},"haptic":{"type":"boolean"},'
    b'"countdown_s":{"type":["number","null"]},"hazard":{"type":"boolean"}}}'
)
HEADER_SCHEMA = b'{"title":"marque.Header","type":"object"}'
