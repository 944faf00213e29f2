"""Reads episode shards (src/contracts/episode.ts) into memory and deals training samples.

A sample is one picture instant: both pictures, the joint state at that tick, the sentence, and the next `chunk`
actions at 30 Hz (the last action repeated past the episode's end, with a mask, as LeRobot pads). It knows no model.
"""
from __future__ import annotations

import gzip
import io
import json
import pathlib
from dataclasses import dataclass

import numpy as np
from safetensors.numpy import load as load_safetensors

COLOURS = ("red", "green", "blue", "yellow")
OBJECT_TASKS = ("touch", "pick-up", "put-in-bowl", "push-left", "push-right", "stack")


@dataclass
class Samples:
    """N samples. Pictures stay uint8; everything else is float32 and not normalised."""

    pictures: np.ndarray  # [N, cameras, H, W, 3] uint8
    state: np.ndarray  # [N, 6]
    actions: np.ndarray  # [N, chunk, 6]
    action_mask: np.ndarray  # [N, chunk] 1 = inside the episode
    sentence: np.ndarray  # [N] index into sentences
    sentences: list[str]
    cubes: np.ndarray  # [N, 4, 3] metres, NaN = not there
    target: np.ndarray  # [N] colour index of the cube asked for, -1 = none
    grip: np.ndarray  # [N, 3]
    episode: np.ndarray  # [N]
    kind: np.ndarray  # [N] task kind as text

    def __len__(self) -> int:
        return len(self.state)


def read_shard(path: pathlib.Path) -> tuple[dict, list[dict], dict[str, np.ndarray]]:
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    header_size = int.from_bytes(raw[:8], "little")
    metadata = json.loads(raw[8 : 8 + header_size])["__metadata__"]
    return json.loads(metadata["shard"]), json.loads(metadata["episodes"]), load_safetensors(raw)


def load(folder: pathlib.Path, chunk: int, only_success: bool = True) -> Samples:
    """Every shard under `folder`. Failed episodes teach failing, whoever failed; they are left out unless asked for."""
    parts: list[dict] = []
    sentences: dict[str, int] = {}
    episode_number = 0
    for path in sorted(folder.rglob("*.safetensors*")):
        shard, cards, t = read_shard(path)
        shorts = [c["short"] for c in shard["cameras"]]
        shots_of = np.append(t["episode.first_shot"], len(t["shot.tick"]))
        ticks_of = np.append(t["episode.first_tick"], len(t["state"]))
        for e, card in enumerate(cards):
            if only_success and card["verdict"]["kind"] != "success":
                continue
            first, end = int(ticks_of[e]), int(ticks_of[e + 1])
            shots = slice(int(shots_of[e]), int(shots_of[e + 1]))
            ticks = t["shot.tick"][shots]
            rows = ticks[:, None] + np.arange(chunk)[None]
            goal = card["goal"]
            parts.append(
                dict(
                    pictures=np.stack([t[f"pictures.{s}"][shots] for s in shorts], 1),
                    state=t["state"][ticks],
                    # What was asked for, not what noise or the gate made of it: the gate stands between policy and arm too.
                    actions=t["wanted"][np.minimum(rows, end - 1)],
                    action_mask=(rows < end).astype(np.float32),
                    sentence=np.full(len(ticks), sentences.setdefault(card["sentence"], len(sentences))),
                    cubes=t["cubes"][ticks],
                    target=np.full(len(ticks), COLOURS.index(goal["colour"]) if goal["kind"] in OBJECT_TASKS else -1),
                    grip=t["grip"][ticks],
                    episode=np.full(len(ticks), episode_number),
                    kind=np.full(len(ticks), goal["kind"]),
                )
            )
            episode_number += 1
    if not parts:
        raise SystemExit(f"no usable episodes under {folder}")
    joined = {key: np.concatenate([p[key] for p in parts]) for key in parts[0]}
    return Samples(sentences=list(sentences), **joined)


def statistics(samples: Samples) -> dict[str, dict[str, np.ndarray]]:
    """LeRobot's statistics of state and action, over samples (action: over every row inside its episode)."""
    inside = samples.actions[samples.action_mask.astype(bool)]
    out = {}
    for key, values in (("observation.state", samples.state), ("action", inside)):
        values = values.astype(np.float64)
        out[key] = {
            "mean": values.mean(0), "std": values.std(0), "min": values.min(0), "max": values.max(0),
            "count": np.array([len(values)]),
            **{f"q{q:02d}": np.quantile(values, q / 100, axis=0) for q in (1, 10, 50, 90, 99)},
        }
    return out
