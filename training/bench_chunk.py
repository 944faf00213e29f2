"""What one action chunk costs in PyTorch, part by part: the other side of `npm run bench:gpu`.

    python training/bench_chunk.py --checkpoint FOLDER --device cuda --laps 50 --cameras 2 --tokens 48

The model is `smolvla.py`, which `check_golden.py` holds against LeRobot; the weights are the checkpoint's, the pictures, words and
state are random, because arithmetic does not look at them. Forms: eager and torch.compile (on a GPU with CUDA graphs, mode
"reduce-overhead"), each in float32 and bfloat16. Float32 products may use TF32 where `--tf32 yes` says so, and are named so.
Cameras are one batch, which is PyTorch's better case. Prints one JSON object; a form that does not run says why instead.
"""
import argparse
import json
import pathlib
import platform
import time

import torch

import smolvla
from checkpoint import load_weights
from smolvla import Config, SmolVla

# As the backbone's own config.json has it: what a SmolVLA checkpoint that names it leaves out.
SMOLVLM2_500M = {
    "scale_factor": 4,
    "text_config": {"hidden_size": 960, "num_hidden_layers": 32, "num_attention_heads": 15, "num_key_value_heads": 5, "head_dim": 64, "intermediate_size": 2560, "vocab_size": 49280, "rms_norm_eps": 1e-5},
    "vision_config": {"image_size": 512, "patch_size": 16, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
}


def spread(seconds: list[float]) -> dict:
    ordered = sorted(seconds)
    at = lambda share: 1000 * ordered[max(0, -(-len(ordered) * share // 100) - 1)]
    return {"p50Ms": at(50), "p95Ms": at(95), "count": len(ordered)}


class Form:
    """The model's three parts, as they are or compiled."""

    def __init__(self, model: SmolVla, compiled: str, device: str):
        self.model, self.device = model, device
        self.see, self.read, self.step = model.image_tokens, model.run_prefix, model.velocity
        if compiled == "compile":
            mode = "reduce-overhead" if device == "cuda" else "default"
            self.see, self.read, self.step = (torch.compile(part, mode=mode, dynamic=False) for part in (self.see, self.read, self.step))
        # What a CUDA graph gives is overwritten by its next run.
        self.keep = (lambda x: x.clone()) if compiled == "compile" and device == "cuda" else (lambda x: x)

    def wait(self) -> float:
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    @torch.no_grad()
    def chunk(self, inputs: dict, waits: bool) -> dict:
        """Seconds by part where every part is waited for, else of the whole."""
        c, clock = self.model.c, self.wait if waits else time.perf_counter
        if self.device == "cuda":
            torch.compiler.cudagraph_mark_step_begin()
        start = self.wait()
        images = self.keep(self.see(inputs["pictures"]))
        prefix, pad, blocks = self.model.embed_prefix([one[None] for one in images], inputs["image_mask"], inputs["tokens"], inputs["token_mask"], inputs["state"])
        seen = clock()
        cache, _ = self.read(prefix, pad, blocks)
        cache = [(self.keep(k), self.keep(v)) for k, v in cache]
        read = clock()
        x = inputs["noise"]
        for t in inputs["times"]:
            x = x - self.step(cache, pad, x, t) / c.steps
        x = x.float().cpu()
        end = self.wait()
        assert bool(torch.isfinite(x).all()), "the plan is not finite"
        return {"vision": seen - start, "prefix": read - seen, "steps": end - read} if waits else {"all": end - start}


def made_up(c, device: str, dtype: torch.dtype, cameras: int, tokens: int) -> dict:
    random = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(*shape, generator=random).to(device, dtype)
    return {
        "pictures": (torch.rand(cameras, 3, c.image_size, c.image_size, generator=random) * 2 - 1).to(device, dtype),
        "image_mask": torch.ones(1, cameras, dtype=torch.bool, device=device),
        "tokens": torch.randint(10, 200, (1, tokens), generator=random).to(device),
        "token_mask": torch.ones(1, tokens, dtype=torch.bool, device=device),
        "state": draw(1, c.max_state),
        "noise": draw(1, c.chunk, c.max_action),
        "times": [torch.full((1,), 1.0 - s / c.steps, device=device) for s in range(c.steps)],
    }


def main() -> None:
    ask = argparse.ArgumentParser()
    ask.add_argument("--checkpoint", type=pathlib.Path, required=True)
    ask.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    ask.add_argument("--laps", type=int, default=50)
    ask.add_argument("--cameras", type=int, default=2)
    ask.add_argument("--tokens", type=int, default=48)
    ask.add_argument("--tf32", choices=["yes", "no"], default="no")
    ask.add_argument("--forms", default="eager,compile")
    given = ask.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = given.tf32 == "yes"
    read = lambda file: json.loads(file.read_text())
    own = given.checkpoint / "vlm_config.json"
    c = Config.from_json(read(given.checkpoint / "config.json"), read(own) if own.exists() else SMOLVLM2_500M)
    name = torch.cuda.get_device_name() if given.device == "cuda" else f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads"
    result = {"torch": torch.__version__, "device": given.device, "name": name, "tf32": given.tf32, "cameras": given.cameras, "tokens": given.tokens, "steps": c.steps, "forms": {}}
    for dtype in (torch.float32, torch.bfloat16):
        model = SmolVla(c).eval()
        load_weights(model, given.checkpoint)
        model = model.to(given.device, dtype)
        smolvla.FILL = torch.finfo(dtype).min
        # Without a backward pass the fused form is PyTorch's better one.
        smolvla.attend = torch.nn.functional.scaled_dot_product_attention
        inputs = made_up(c, given.device, dtype, given.cameras, given.tokens)
        for compiled in given.forms.split(","):
            key = f"{compiled} {'f32' if dtype is torch.float32 else 'bf16'}"
            try:
                form = Form(model, compiled, given.device)
                for _ in range(5 if compiled == "compile" else 2):
                    form.chunk(inputs, waits=False)
                whole = [form.chunk(inputs, waits=False)["all"] for _ in range(given.laps)]
                parts = [form.chunk(inputs, waits=True) for _ in range(given.laps)]
                result["forms"][key] = {"endToEnd": spread(whole), "parts": {part: spread([lap[part] for lap in parts]) for part in parts[0]}}
            except Exception as failed:  # A compiler that is missing or a graph it cannot take is a result too.
                result["forms"][key] = {"failed": f"{type(failed).__name__}: {str(failed).strip().splitlines()[0][:200] if str(failed).strip() else ''}"}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
