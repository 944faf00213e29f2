#!/usr/bin/env python3
"""Where the official parts of an SO-101 are, link by link, as a table the gate's body of it is tested against.

    python3 make-body-table.py path/to/Simulation/SO101/so101_new_calib.urdf > so101-body.json

Of github.com/TheRobotStudio/SO-ARM100; the meshes lie beside the file. Plain Python, nothing of this project. Everything is in the
file's own link frames, in hundredths of a millimetre. For each link:

  points   120 places on the surface of its printed parts and motors, each the farthest from all before it, so that no corner is left out
  reach    how far the surface goes in each of 26 directions: every way to go from the middle cell of 3 x 3 x 3 to another, x before y
           before z, unit vectors
"""
import json
import math
import os
import random
import struct
import sys
import xml.etree.ElementTree as ET

LINKS = {"base_link": "base", "shoulder_link": "shoulder", "upper_arm_link": "upper_arm", "lower_arm_link": "lower_arm", "wrist_link": "wrist", "gripper_link": "gripper", "moving_jaw_so101_v1_link": "jaw"}
POINTS, CANDIDATES, SEED = 120, 3000, 20260101
DIRECTIONS = [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) != (0, 0, 0)]


def rotation(roll, pitch, yaw):
    cr, sr, cp, sp, cy, sy = math.cos(roll), math.sin(roll), math.cos(pitch), math.sin(pitch), math.cos(yaw), math.sin(yaw)
    return [[cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr], [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr], [-sp, cp * sr, cp * cr]]


def corners(path):
    """Every triangle of a binary STL, as nine numbers in its own frame, metres."""
    with open(path, "rb") as file:
        data = file.read()
    (count,) = struct.unpack_from("<I", data, 80)
    return [struct.unpack_from("<9f", data, 84 + 50 * i + 12) for i in range(count)]


def main(path):
    draw = random.Random(SEED)
    table = {}
    for link in ET.parse(path).getroot().findall("link"):
        name = LINKS.get(link.get("name"))
        if name is None:
            continue
        triangles = []
        for visual in link.findall("visual"):
            origin = visual.find("origin")
            at = [float(v) for v in origin.get("xyz").split()]
            r = rotation(*(float(v) for v in origin.get("rpy").split()))
            for t in corners(os.path.join(os.path.dirname(path), visual.find("geometry/mesh").get("filename"))):
                triangles.append([[sum(r[i][k] * t[3 * c + k] for k in range(3)) + at[i] for i in range(3)] for c in range(3)])
        reach = [max(sum(d[k] * p[k] for k in range(3)) for t in triangles for p in t) / math.hypot(*d) for d in DIRECTIONS]
        # As many candidates on a large triangle as its area is large, and the corners of some.
        areas = []
        for a, b, c in triangles:
            u, v = [b[i] - a[i] for i in range(3)], [c[i] - a[i] for i in range(3)]
            areas.append(math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]))
        candidates = [draw.choice(t) for t in draw.choices(triangles, k=CANDIDATES // 2)]
        for a, b, c in draw.choices(triangles, weights=areas, k=CANDIDATES // 2):
            s, t = draw.random(), draw.random()
            if s + t > 1:
                s, t = 1 - s, 1 - t
            candidates.append([a[i] + s * (b[i] - a[i]) + t * (c[i] - a[i]) for i in range(3)])
        points = [candidates[0]]
        nearest = [math.dist(p, points[0]) for p in candidates]
        while len(points) < POINTS:
            far = max(range(len(candidates)), key=nearest.__getitem__)
            points.append(candidates[far])
            nearest = [min(d, math.dist(p, points[-1])) for d, p in zip(nearest, candidates)]
        table[name] = {"reach": [round(v * 1e5) for v in reach], "points": [[round(v * 1e5) for v in p] for p in points]}
    header = {"source": "SO-ARM100 Simulation/SO101/so101_new_calib.urdf and its meshes", "made by": "make-body-table.py", "seed": SEED}
    rows = ",\n".join(f' "{name}": ' + json.dumps(of, separators=(",", ":")) for name, of in table.items())
    print(json.dumps(header)[:-1] + ', "links": {\n' + rows + "\n}}")


main(sys.argv[1])
