"""Makes planes.json: I420 and NV12 planes of seeded noise, and what OpenCV (LeRobot's camera reader) makes of them.

    python src/core/camera/testing/make-planes-fixture.py     # needs numpy and opencv-python
"""
import base64
import json
import pathlib

import cv2
import numpy as np

WIDTH, HEIGHT = 12, 8
noise = np.random.default_rng(7)
text = lambda array: base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
cases = []
for name, code in (("I420", cv2.COLOR_YUV2RGB_I420), ("NV12", cv2.COLOR_YUV2RGB_NV12)):
    planes = noise.integers(0, 256, (HEIGHT * 3 // 2, WIDTH), dtype=np.uint8)
    cases.append({"format": name, "width": WIDTH, "height": HEIGHT, "planes": text(planes), "rgb": text(cv2.cvtColor(planes, code))})
pathlib.Path(__file__).with_name("planes.json").write_text(json.dumps({"opencv": cv2.__version__, "cases": cases}) + "\n")
