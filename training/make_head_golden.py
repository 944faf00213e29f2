"""What the two action heads that LeRobot has not got give on a golden checkpoint, computed by `action_heads.py` for the page's tests.

    python training/make_head_golden.py src/core/policy/testing/golden/base src/core/policy/testing/golden/heads

The weights are the golden set's own, read as those of another head: numbers without a meaning, and the same arithmetic.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

import action_heads
from check_golden import open_case

DIFFUSION_STEPS = (10, 3)
COUNT = 16


def main() -> None:
    base, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    model, cache, pad, case = open_case(base)
    joints = json.loads((base / "config.json").read_text())["output_features"]["action"]["shape"][0]
    result = {f"x0.diffusion.{n}": action_heads.sample_diffusion(model, cache, pad, case["noise"][None], n)[0] for n in DIFFUSION_STEPS}
    torch.manual_seed(1)
    matrix = action_heads.add_bins(model, joints, COUNT)
    torch.nn.init.normal_(matrix.weight)
    bins = action_heads.Bins(COUNT, torch.linspace(-1, -2, joints), torch.linspace(2, 1, joints))
    result |= {"bins.weight": matrix.weight.detach(), "bins.bias": matrix.bias.detach(), "bins.low": bins.low, "bins.high": bins.high}
    result["x0.bins"] = action_heads.sample_bins(model, cache, pad, bins)[0]
    save_file({k: v.contiguous() for k, v in result.items()}, out / "expected.safetensors")
    print({k: tuple(v.shape) for k, v in result.items()})


if __name__ == "__main__":
    main()
