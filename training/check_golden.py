"""Proves `smolvla.py` equal to LeRobot: runs every golden set and prints the largest difference of x0.

    python training/check_golden.py src/core/policy/testing/golden

Fails (exit code 1) above 2e-4. The golden sets were computed by LeRobot's own classes; see the README beside them.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import load_file

from smolvla import Config, SmolVla

LIMIT = 2e-4


def letterbox(picture: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """[H,W,3] uint8 -> [3,height,width] in [-1,1]; padding left and top, bilinear without antialias."""
    x = picture.float().permute(2, 0, 1)[None] / 255
    h, w = x.shape[-2:]
    if (h, w) != (height, width):
        ratio = max(w / width, h / height)
        rh, rw = int(h / ratio), int(w / ratio)
        x = torch.nn.functional.interpolate(x, size=(rh, rw), mode="bilinear", align_corners=False)
        x = torch.nn.functional.pad(x, (width - rw, 0, height - rh, 0))
    return (x[0] * 2) - 1


def statistics(folder: pathlib.Path, weights: dict) -> dict:
    """`<feature>.<stat>` of state, from the processor file or (old format) from the weights."""
    pipeline = folder / "policy_preprocessor.json"
    if pipeline.exists():
        for step in json.loads(pipeline.read_text())["steps"]:
            if "state_file" in step:
                return load_file(folder / step["state_file"])
    prefix = "normalize_inputs.buffer_observation_state."
    return {f"observation.state.{k.removeprefix(prefix)}": v for k, v in weights.items() if k.startswith(prefix)}


def open_case(folder: pathlib.Path):
    """The model, the keys and values of the case's observation, their mask, and the case's tensors."""
    read = lambda name: json.loads((folder / name).read_text())
    policy, vlm = read("config.json"), read("vlm_config.json")
    special = read("special_tokens.json") if (folder / "special_tokens.json").exists() else None
    if special:
        special = {"fake_token_around_image": special["fake_image_token_id"], "global_image": special["global_image_token_id"]}
    c = Config.from_json(policy, vlm, special)
    weights = load_file(folder / "model.safetensors")
    model = SmolVla(c).eval()
    missing, _ = model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
    assert not [m for m in missing if not m.endswith("text_model.norm.weight")], missing
    case = load_file(folder / "case.safetensors")

    rename = {}
    if (folder / "policy_preprocessor.json").exists():
        for step in read("policy_preprocessor.json")["steps"]:
            if step.get("registry_name") == "rename_observations_processor":
                rename = step["config"].get("rename_map", {})
    by_slot = {rename.get(k, k): v for k, v in case.items() if v.ndim == 3}
    slots = [k for k, v in policy["input_features"].items() if v["type"] == "VISUAL"]
    width, height = policy["resize_imgs_with_padding"] or (vlm["vision_config"]["image_size"],) * 2
    pictures = [letterbox(by_slot[k], width, height) for k in slots if k in by_slot]
    mask = [True] * len(pictures)
    absent = [k for k in slots if k not in by_slot][: policy.get("empty_cameras", 0)]
    pictures += [torch.full((3, height, width), -1.0) for _ in absent]
    mask += [False] * len(absent)

    stats = statistics(folder, weights)
    mode = policy["normalization_mapping"]["STATE"]
    state, key = case["observation.state"].float(), "observation.state."
    if mode == "MEAN_STD":
        state = (state - stats[key + "mean"]) / (stats[key + "std"] + 1e-8)
    else:
        low, high = stats[key + "min"], stats[key + "max"]
        state = 2 * (state - low) / torch.where(high == low, torch.tensor(1e-8), high - low) - 1
    state = torch.nn.functional.pad(state, (0, c.max_state - state.shape[0]))

    with torch.no_grad():
        images = [model.image_tokens(p[None]) for p in pictures]
        prefix, pad, blocks = model.embed_prefix(
            images, torch.tensor([mask]), case["tokens"][None].long(), case["token_mask"][None].bool(), state[None]
        )
        cache, _ = model.run_prefix(prefix, pad, blocks)
    return model, cache, pad, case


def check(folder: pathlib.Path) -> float:
    model, cache, pad, case = open_case(folder)
    x0 = model.sample(cache, pad, case["noise"][None])[0]
    return float((x0 - load_file(folder / "expected.safetensors")["x0"]).abs().max())


def main() -> int:
    root, worst = pathlib.Path(sys.argv[1]), 0.0
    for folder in sorted(p for p in root.iterdir() if (p / "config.json").exists() and (p / "expected.safetensors").exists()):
        difference = check(folder)
        worst = max(worst, difference)
        print(f"{folder.name:20s} max |x0 - LeRobot| = {difference:.2e}")
    print(f"limit {LIMIT:.0e}: {'passed' if worst <= LIMIT else 'FAILED'}")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
