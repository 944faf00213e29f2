#!/usr/bin/env python3
"""Link poses of the official URDF at random joint angles, as a table our own kinematics is tested against.

    python3 make-pose-table.py path/to/so100.urdf > so100-poses.json
    python3 make-pose-table.py path/to/so101_new_calib.urdf so101 200 > so101-poses.json

The URDFs are those of github.com/TheRobotStudio/SO-ARM100 (Simulation/SO100, Simulation/SO101). Plain Python, nothing of this
project: matrices are multiplied out from the file's own origins and axes.

Angles are written in LeRobot's convention (radians) and turned into the file's by the table below. The file's zero pose is
arbitrary (its joint origins carry -1.8, 1.57079 and -1 rad about x); the offsets put LeRobot's zero, upper arm straight up and
forearm straight ahead, at zero.

Row: 6 angles in 1e-6 rad, then for each of the 6 moving links x y z in micrometres and the rotation as w x y z in 1e-6.
"""
import json
import math
import random
import sys
import xml.etree.ElementTree as ET

JOINTS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]
# LeRobot angle -> URDF angle: (sign, offset). The SO-101 file of the "new" calibration has LeRobot's zero and signs.
SO101_MAPPING = [(1, 0.0)] * 6
MAPPING = [(-1, 0.0), (1, 1.8), (1, -1.57079), (1, 1.0 - math.pi / 2), (1, 0.0), (1, 0.0)]
# Degrees, a little inside what the arm can do; wrist_roll as the files allow it.
RANGES = [(-110, 110), (-100, 99), (-99, 89), (-95, 95), (-160, 160), (-10, 100)]
COUNT, SEED = 1000, 20240601


def multiply(a, b):
    return [[sum(a[i][k] * b[k][j] for k in range(4)) for j in range(4)] for i in range(4)]


def about(axis, angle):
    x, y, z = axis
    c, s, t = math.cos(angle), math.sin(angle), 1 - math.cos(angle)
    return [
        [t * x * x + c, t * x * y - s * z, t * x * z + s * y, 0],
        [t * x * y + s * z, t * y * y + c, t * y * z - s * x, 0],
        [t * x * z - s * y, t * y * z + s * x, t * z * z + c, 0],
        [0, 0, 0, 1],
    ]


def origin(element):
    xyz = [float(v) for v in element.get("xyz").split()]
    roll, pitch, yaw = (float(v) for v in element.get("rpy").split())
    turned = multiply(multiply(about((0, 0, 1), yaw), about((0, 1, 0), pitch)), about((1, 0, 0), roll))
    return [[*turned[i][:3], xyz[i]] for i in range(3)] + [[0, 0, 0, 1]]


def quaternion(m):
    # Largest component first found, then the rest by differences; sign chosen with w >= 0.
    trace = m[0][0] + m[1][1] + m[2][2]
    squares = [(1 + trace) / 4] + [(1 + 2 * m[i][i] - trace) / 4 for i in range(3)]
    best = max(range(4), key=lambda i: squares[i])
    q = [0.0] * 4
    q[best] = math.sqrt(squares[best])
    f = 4 * q[best]
    if best == 0:
        q[1:] = [(m[2][1] - m[1][2]) / f, (m[0][2] - m[2][0]) / f, (m[1][0] - m[0][1]) / f]
    else:
        i, j, k = best - 1, best % 3, (best + 1) % 3
        q[0] = (m[k][j] - m[j][k]) / f
        q[1 + j] = (m[j][i] + m[i][j]) / f
        q[1 + k] = (m[k][i] + m[i][k]) / f
    return [-v for v in q] if q[0] < 0 else q


def main(path, robot="so100", count=COUNT):
    joints = {j.get("name"): j for j in ET.parse(path).getroot().findall("joint")}
    chain = [(origin(joints[n].find("origin")), [float(v) for v in joints[n].find("axis").get("xyz").split()]) for n in JOINTS]
    mapping = SO101_MAPPING if robot == "so101" else MAPPING
    draw = random.Random(SEED)
    rows = []
    for _ in range(int(count)):
        angles = [round(math.radians(draw.uniform(*r)), 6) for r in RANGES]
        row = [round(a * 1e6) for a in angles]
        pose = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
        for (at, axis), angle, (sign, offset) in zip(chain, angles, mapping):
            pose = multiply(multiply(pose, at), about(axis, sign * angle + offset))
            row += [round(pose[i][3] * 1e6) for i in range(3)] + [round(v * 1e6) for v in quaternion(pose)]
        rows.append(row)
    header = {"source": "SO-ARM100 Simulation/SO100/so100.urdf" if robot == "so100" else "SO-ARM100 Simulation/SO101/so101_new_calib.urdf", "made by": "make-pose-table.py", "seed": SEED}
    print(json.dumps(header)[:-1] + ', "rows": [\n' + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]}")


main(*sys.argv[1:])
