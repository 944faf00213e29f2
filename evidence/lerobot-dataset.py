"""Opens datasets with LeRobot's own class and recomputes what they say about themselves.

    python evidence/lerobot-dataset.py DATASET [DATASET ...]        # pip install "lerobot[dataset]"
    python evidence/lerobot-dataset.py --write DIR                  # writes one with LeRobot's own writer, for the page to open

Exits with 1 at the first thing that is not as it should be.
"""
import json
import pathlib
import sys

import lerobot
import numpy as np
import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
JOINTS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]


def check(folder: str) -> None:
    dataset = LeRobotDataset("local/check", root=folder)
    meta = dataset.meta
    print(f"{folder}: {dataset.num_episodes} episodes, {dataset.num_frames} rows, {meta.fps} fps, {meta.robot_type}")
    print("  features:", ", ".join(f"{k} {v['dtype']} {tuple(v['shape'])}" for k, v in meta.features.items()))
    print("  sentences:", list(meta.tasks.index)[:4])
    assert meta.features["observation.state"]["names"] == [f"{joint}.pos" for joint in JOINTS]

    # every row: index, time, episode, sentence
    table = dataset.hf_dataset.with_format("numpy")
    column = {key: np.asarray(table[key]) for key in ("timestamp", "frame_index", "episode_index", "index", "task_index")}
    assert (column["index"] == np.arange(dataset.num_frames)).all()
    starts = {int(e["episode_index"]): (int(e["dataset_from_index"]), int(e["dataset_to_index"])) for e in meta.episodes}
    worst_time = 0.0
    for episode, (first, end) in starts.items():
        rows = slice(first, end)
        assert (column["episode_index"][rows] == episode).all()
        assert (column["frame_index"][rows] == np.arange(end - first)).all()
        worst_time = max(worst_time, float(np.abs(column["timestamp"][rows] - np.arange(end - first) / meta.fps).max()))
    print(f"  largest error of a timestamp: {worst_time:.2e} s")
    assert worst_time < 1e-4

    # statistics, recomputed
    worst = 0.0
    for key in ("observation.state", "action", *column):
        values = np.stack(table[key]).astype(np.float64) if key in ("observation.state", "action") else column[key].astype(np.float64)[:, None]
        said = meta.stats[key]
        again = {"min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0)}
        again |= {name: np.quantile(values, q, axis=0) for name, q in QUANTILES.items()}
        for name, value in again.items():
            worst = max(worst, float(np.abs(np.asarray(said[name]) - value).max()))
        assert int(np.asarray(said["count"]).ravel()[0]) == len(values)
    print(f"  largest difference of a statistic from the recomputed one: {worst:.2e}")
    assert worst < 1e-6

    # pictures: first, middle and last row of every episode, at their own time
    picture_stats = {key: np.asarray(meta.stats[key]["mean"]).shape for key in meta.camera_keys}
    assert all(shape == (3, 1, 1) for shape in picture_stats.values()), picture_stats
    means = {key: [] for key in meta.camera_keys}
    for first, end in starts.values():
        for row in sorted({first, (first + end) // 2, end - 1}):
            item = dataset[row]
            assert item["task"] in list(meta.tasks.index)
            for key in meta.camera_keys:
                height, width, _ = meta.features[key]["shape"]
                assert tuple(item[key].shape) == (3, height, width) and item[key].dtype == torch.float32
                means[key].append(item[key].mean((1, 2)).numpy())
    for key, seen in means.items():
        said, found = np.asarray(meta.stats[key]["mean"]).ravel(), np.mean(seen, 0)
        print(f"  {key}: mean colour said {np.round(said, 3)}, of the pictures opened {np.round(found, 3)}")
        assert np.abs(said - found).max() < 0.1
    counts(dataset, starts)

    # as SmolVLA's trainer asks for it: 50 actions ahead
    ahead = LeRobotDataset("local/check", root=folder, delta_timestamps={"action": [i / meta.fps for i in range(50)]})
    batch = next(iter(torch.utils.data.DataLoader(ahead, batch_size=min(8, len(ahead)), shuffle=True)))
    print("  a batch for the trainer:", {k: tuple(v.shape) for k, v in batch.items() if k in ("action", "observation.state", *meta.camera_keys)})
    print("  good")


def counts(dataset: LeRobotDataset, starts: dict) -> None:
    """Frames in each video file against the rows that ask for them."""
    if not dataset.meta.video_keys:
        return
    import av

    total, worst = 0, 0.0
    for episode, (first, end) in starts.items():
        for key in dataset.meta.video_keys:
            path = dataset.root / dataset.meta.get_video_file_path(episode, key)
            with av.open(str(path)) as video:
                times = sorted(float(frame.time) for frame in video.decode(video=0))
            assert len(times) == end - first, (str(path), len(times), end - first)
            worst = max(worst, float(np.abs(np.array(times) - np.arange(end - first) / dataset.meta.fps).max()))
            total += len(times)
    print(f"  {total} frames in the videos, one a row; largest error of a frame's time: {worst:.2e} s")
    assert worst < 1e-4


def write(folder: str) -> None:
    """Two episodes and one camera, through LeRobot's own recorder."""
    features = {
        "observation.state": {"dtype": "float32", "shape": (6,), "names": [f"{joint}.pos" for joint in JOINTS]},
        "action": {"dtype": "float32", "shape": (6,), "names": [f"{joint}.pos" for joint in JOINTS]},
        "observation.images.front": {"dtype": "video", "shape": (96, 128, 3), "names": ["height", "width", "channels"]},
    }
    dataset = LeRobotDataset.create("local/written", fps=30, features=features, root=folder, robot_type="so100_follower")
    for episode in range(2):
        for row in range(45):
            seconds = row / 30
            goal = np.array([20 * np.sin(seconds + episode), 5 * seconds, -8 * seconds, 2, 110, 40 + 10 * seconds], dtype=np.float32)
            picture = np.full((96, 128, 3), 4 * row + 40, dtype=np.uint8)
            picture[:, : row + 1] = (200, 40, 40)
            dataset.add_frame({"observation.state": goal - 0.5, "action": goal, "observation.images.front": picture, "task": f"wave {episode}"})
        dataset.save_episode()
    dataset.finalize()
    print(f"written by LeRobot: {folder}")


if __name__ == "__main__":
    print(f"lerobot {getattr(lerobot, '__version__', '?')}, torch {torch.__version__}, numpy {np.__version__}")
    if sys.argv[1] == "--write":
        write(sys.argv[2])
    else:
        for folder in sys.argv[1:]:
            check(str(pathlib.Path(folder).resolve()))
