"""Makes known-picture.json: the known picture of tools/known-picture.ts as a SmolVLA policy sees it, by OpenCV and LeRobot.

    python e2e/known-picture.py        # needs lerobot and opencv-python
"""
import json
import pathlib

import cv2
import numpy as np
import torch
from lerobot.policies.common.vla_utils import resize_with_pad

WIDTH, HEIGHT, SIDE, EVERY = 640, 480, 512, 997
x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
light = 16 + (3 * y + 7 * x + (x * y) // 97) % 220
x, y = x[: HEIGHT // 2, : WIDTH // 2], y[: HEIGHT // 2, : WIDTH // 2]
planes = np.concatenate([light.ravel(), (16 + (5 * x + 2 * y) % 225).ravel(), (16 + (x + 9 * y) % 225).ravel()]).astype(np.uint8)
rgb = cv2.cvtColor(planes.reshape(HEIGHT * 3 // 2, WIDTH), cv2.COLOR_YUV2RGB_I420)
picture = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
tensor = resize_with_pad(picture, SIDE, SIDE, pad_value=0) * 2 - 1
values = [round(float(value), 7) for value in tensor.ravel().numpy()[::EVERY]]
pathlib.Path(__file__).with_name("known-picture.json").write_text(json.dumps({"side": SIDE, "every": EVERY, "values": values}) + "\n")
