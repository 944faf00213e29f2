"""LeRobot checkpoint folders: reading a configuration and tokenizer, writing weights and statistics back.

What is written is what LeRobot writes (config.json, model.safetensors in bf16, processor files with their state), so
the page's converter and LeRobot itself read it alike.
"""
from __future__ import annotations

import hashlib
import json
import pathlib
import shutil

import numpy as np
import torch
from safetensors.numpy import save_file as save_numpy
from safetensors.torch import load_file, save_file

from smolvla import Config, SmolVla


def read_config(folder: pathlib.Path) -> Config:
    read = lambda name: json.loads((folder / name).read_text())
    return Config.from_json(read("config.json"), read("vlm_config.json"))


def tokenizer(folder: pathlib.Path):
    """sentence -> ids, with the newline LeRobot appends and the length the configuration allows."""
    from tokenizers import Tokenizer

    path = folder / "tokenizer" / "tokenizer.json"
    read = Tokenizer.from_file(str(path if path.exists() else folder / "tokenizer.json"))
    read.no_padding()
    longest = json.loads((folder / "config.json").read_text()).get("tokenizer_max_length", 48)
    return lambda sentence: read.encode(sentence if sentence.endswith("\n") else sentence + "\n").ids[-longest:]


def load_weights(model: SmolVla, folder: pathlib.Path) -> None:
    model.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()}, strict=False)


def write(out: pathlib.Path, base: pathlib.Path, weights: dict[str, torch.Tensor], stats: dict, training: dict) -> None:
    """A whole checkpoint: the base's configuration and tokenizer, these weights (bf16), these statistics."""
    if out != base:
        shutil.copytree(base, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("model.safetensors"))
    save_file({k: v.detach().cpu().to(torch.bfloat16).contiguous() for k, v in weights.items()}, out / "model.safetensors", metadata={"format": "pt"})
    state = {f"{feature}.{name}": np.asarray(values, dtype=np.float32) for feature, group in stats.items() for name, values in group.items()}
    for pipeline in ("policy_preprocessor.json", "policy_postprocessor.json"):
        for step in json.loads((out / pipeline).read_text())["steps"]:
            if "state_file" in step:
                save_numpy(state, out / step["state_file"])
    (out / "train_config.json").write_text(json.dumps(training, indent=2) + "\n")
    card = json.loads((out / "card.json").read_text())
    card["training"] = {"kind": "trained", "summary": f"{training['episodes']} demonstrations by the scripted expert, {training['samples']} samples, {training['minutes']:.0f} minutes on one {training['device'].upper()}"}
    card["about"] = "SmolVLA's architecture with 5 million parameters, trained from nothing on this page's own simulated demonstrations. What it reaches is counted in evidence/evaluation.md."
    card["weights_sha256"] = hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()
    (out / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
