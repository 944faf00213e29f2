"""One action chunk of a SmolVLA checkpoint by PyTorch on the CPU, timed: the other side of `tools/beside-pytorch.ts`.

    python training/time_chunk.py CHECKPOINT VLM_CONFIG CASE OUT --threads 2 --laps 3

CASE (safetensors) holds what the page's own runner made of its sample observation: pictures [I,3,H,W] in -1..1, state, tokens,
noise. Preparing them is nobody's time here. Writes x0 as float32 to OUT and prints one line of JSON: seconds a chunk, lap by
lap, for attention spelled out (as LeRobot computes its text and expert layers) and for PyTorch's fused form (as it computes
its pictures), and for the quicker one by part, and in seconds of all its threads together. `check_golden.py` proves the model code equal to LeRobot.
"""
import argparse
import json
import pathlib
import time

import torch
from safetensors.torch import load_file

import smolvla
from smolvla import Config, SmolVla


def fused(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)


FORMS = {"spelled out": smolvla.attend, "fused": fused}


@torch.no_grad()
def chunk(model: SmolVla, case: dict) -> tuple[torch.Tensor, dict[str, float]]:
    began = time.process_time()
    marks = [time.perf_counter()]
    # One after another, as LeRobot embeds them.
    images = [model.image_tokens(picture[None]) for picture in case["pictures"]]
    marks.append(time.perf_counter())
    tokens = case["tokens"][None].long()
    seen = torch.ones(1, len(images), dtype=torch.bool)
    prefix, pad, blocks = model.embed_prefix(images, seen, tokens, torch.ones_like(tokens, dtype=torch.bool), case["state"][None])
    cache, _ = model.run_prefix(prefix, pad, blocks)
    marks.append(time.perf_counter())
    x0 = model.sample(cache, pad, case["noise"][None])[0]
    marks.append(time.perf_counter())
    return x0, dict(zip(("pictures", "prefix", "steps"), (b - a for a, b in zip(marks, marks[1:]))), processor=time.process_time() - began)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("checkpoint", "vlm_config", "case", "out"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--laps", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    config = Config.from_json(json.loads((options.checkpoint / "config.json").read_text()), json.loads(options.vlm_config.read_text()))
    with torch.device("meta"):
        model = SmolVla(config)
    weights = {k: v.float() for k, v in load_file(options.checkpoint / "model.safetensors").items()}
    missing, _ = model.load_state_dict(weights, strict=False, assign=True)
    assert not missing, missing
    model.eval()
    case = load_file(options.case)

    seconds, parts, x0 = {}, {}, None
    for form, attend in FORMS.items():
        smolvla.attend = attend
        chunk(model, case)  # the first one allocates
        laps = []
        for _ in range(options.laps):
            x0, by_part = chunk(model, case)
            laps.append(by_part)
        whole = lambda lap: lap["pictures"] + lap["prefix"] + lap["steps"]
        laps.sort(key=whole)
        seconds[form] = [whole(lap) for lap in laps]
        parts[form] = laps[len(laps) // 2]
    options.out.write_bytes(x0.contiguous().numpy().tobytes())
    best = min(seconds, key=lambda form: sorted(seconds[form])[len(seconds[form]) // 2])
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "seconds": seconds, "best": best, "parts": parts[best]}))


if __name__ == "__main__":
    main()
