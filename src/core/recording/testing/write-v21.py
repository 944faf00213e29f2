"""Lays out a dataset as LeRobot 2.1 did: one parquet and one mp4 an episode, metadata as lines of JSON.

    pip install pyarrow av numpy
    python src/core/recording/testing/write-v21.py src/core/recording/testing/v21

Joint values are of that era: -100..100 of each joint's calibrated range, the gripper 0..100.
"""
import json
import pathlib
import sys

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FPS, ROWS, KEY, HEIGHT, WIDTH = 30, 45, "observation.images.top", 48, 64
JOINTS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]
TASKS = ["Wave to the left.", "Wave to the right."]
root = pathlib.Path(sys.argv[1])


def joints(episode: int) -> np.ndarray:
    """ROWS x 6. `dataset.test.ts` knows the formula."""
    t = np.arange(ROWS) / FPS
    side = -1 if episode == 0 else 1
    still = np.ones(ROWS)
    return np.stack([side * 15 * np.sin(t), -20 * still + 4 * t, 10 - 6 * t, 30 * still, 5 * t, 40 + 10 * t], axis=1).astype(np.float32)


def picture(episode: int, row: int) -> np.ndarray:
    """Grey, lighter row by row, with a bar that grows."""
    rgb = np.full((HEIGHT, WIDTH, 3), 60 + 2 * row, dtype=np.uint8)
    rgb[:, : row + 1] = (200, 40, 40) if episode == 0 else (40, 40, 200)
    return rgb


def statistics(values: np.ndarray) -> dict:
    values = values.reshape(len(values), -1).astype(np.float64)
    return {"min": values.min(0).tolist(), "max": values.max(0).tolist(), "mean": values.mean(0).tolist(), "std": values.std(0).tolist(), "count": [len(values)]}


def picture_statistics(pictures: list[np.ndarray]) -> dict:
    values = np.stack(pictures).transpose(3, 0, 1, 2).reshape(3, -1) / 255
    three = {name: [[[float(v)]] for v in getattr(values, name)(axis=1)] for name in ("min", "max", "mean", "std")}
    return three | {"count": [len(pictures)]}


def write_video(path: pathlib.Path, pictures: list[np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", FPS, options={"g": "2", "crf": "30"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for rgb in pictures:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        file.mux(stream.encode())


def lines(name: str, rows: list[dict]) -> None:
    (root / "meta" / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


(root / "meta").mkdir(parents=True)
(root / "data" / "chunk-000").mkdir(parents=True)
stats = []
for episode in range(2):
    action = joints(episode)
    state = action - np.float32(0.25)
    first = episode * ROWS
    columns = {
        "action": pa.FixedSizeListArray.from_arrays(pa.array(action.ravel()), 6),
        "observation.state": pa.FixedSizeListArray.from_arrays(pa.array(state.ravel()), 6),
        "timestamp": pa.array((np.arange(ROWS) / FPS).astype(np.float32)),
        "frame_index": pa.array(np.arange(ROWS)),
        "episode_index": pa.array(np.full(ROWS, episode)),
        "index": pa.array(np.arange(first, first + ROWS)),
        "task_index": pa.array(np.full(ROWS, episode)),
    }
    pq.write_table(pa.table(columns), root / "data" / "chunk-000" / f"episode_{episode:06d}.parquet")
    pictures = [picture(episode, row) for row in range(ROWS)]
    write_video(root / "videos" / "chunk-000" / KEY / f"episode_{episode:06d}.mp4", pictures)
    plain = {name: statistics(column.to_numpy()) for name, column in columns.items() if name not in ("action", "observation.state")}
    stats.append({"episode_index": episode, "stats": {"action": statistics(action), "observation.state": statistics(state), KEY: picture_statistics(pictures)} | plain})
lines("episodes.jsonl", [{"episode_index": i, "tasks": [TASKS[i]], "length": ROWS} for i in range(2)])
lines("tasks.jsonl", [{"task_index": i, "task": task} for i, task in enumerate(TASKS)])
lines("episodes_stats.jsonl", stats)
vector = {"dtype": "float32", "shape": [6], "names": [f"main_{joint}" for joint in JOINTS]}
single = {"shape": [1], "names": None}
(root / "meta" / "info.json").write_text(
    json.dumps(
        {
            "codebase_version": "v2.1",
            "robot_type": "so100",
            "total_episodes": 2,
            "total_frames": 2 * ROWS,
            "total_tasks": 2,
            "total_videos": 2,
            "total_chunks": 1,
            "chunks_size": 1000,
            "fps": FPS,
            "splits": {"train": "0:2"},
            "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
            "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
            "features": {
                "action": vector,
                "observation.state": vector,
                KEY: {
                    "dtype": "video",
                    "shape": [HEIGHT, WIDTH, 3],
                    "names": ["height", "width", "channels"],
                    "info": {"video.height": HEIGHT, "video.width": WIDTH, "video.codec": "h264", "video.pix_fmt": "yuv420p", "video.is_depth_map": False, "video.fps": FPS, "video.channels": 3, "has_audio": False},
                },
                "timestamp": {"dtype": "float32"} | single,
                "frame_index": {"dtype": "int64"} | single,
                "episode_index": {"dtype": "int64"} | single,
                "index": {"dtype": "int64"} | single,
                "task_index": {"dtype": "int64"} | single,
            },
        },
        indent=4,
    )
)
