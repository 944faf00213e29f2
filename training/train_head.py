"""Trains an action head on the eyes and words of a policy that is there.

    python training/train_head.py --head flow|diffusion|bins --episodes DIR --base public/policies/pocket --out DIR [--minutes 20]

Pictures, words and state pass through the base's weights, which stay as they are (no gradient reaches them); the expert and the
head begin from the base's expert and are trained. So three heads look through the same eyes, and what differs between
them is the head. It also makes training cheap: the part without gradients costs a quarter of a step. `--head flow` goes on with
the base's own head.
Resumes from `--out`/last.pt and writes a checkpoint (EMA weights) to `--out`/checkpoint, with `action_head.json` beside it, which
says to the page what the head is where it is not the flow; LeRobot has no such head for SmolVLA.
"""
from __future__ import annotations

import argparse
import hashlib
import json
import pathlib
import time

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import Tensor, nn

import action_heads
import checkpoint
import dataset
from course import Course
from smolvla import SmolVla
from train import Batches, hidden, observe, t32

DIMENSIONS = 6
COUNT = 256
STEPS = {"flow": 5, "diffusion": 10, "bins": 1}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--head", choices=tuple(STEPS), required=True)
    p.add_argument("--episodes", type=pathlib.Path, required=True)
    p.add_argument("--base", type=pathlib.Path, required=True)
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--minutes", type=float, default=20)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--draws", type=int, default=4, help="noises and times an observation is shown with (not bins)")
    p.add_argument("--hide", type=float, default=0.7)
    p.add_argument("--reword", type=float, default=0.7)
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--decay-from", type=float, default=0.5)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)

    c = checkpoint.read_config(a.base)
    samples = dataset.load(a.episodes, c.chunk)
    stats = base_statistics(a.base)
    batches = Batches(samples, stats, c, checkpoint.tokenizer(a.base), a.seed, "cpu", 0.0, a.reword)
    inside = batches.actions[batches.mask.bool()][:, :DIMENSIONS]
    bins = action_heads.Bins(COUNT, inside.amin(0), inside.amax(0))
    model = SmolVla(c)
    checkpoint.load_weights(model, a.base)
    model.requires_grad_(False)
    m = model.model
    trained = nn.ModuleList([m.vlm_with_expert.lm_expert, m.action_in_proj, m.action_time_mlp_in, m.action_time_mlp_out])
    trained.append(action_heads.add_bins(model, DIMENSIONS, COUNT) if a.head == "bins" else m.action_out_proj)
    # The cross layers' key and value matrices are the expert's own: they are trained too.
    trained.requires_grad_(True)
    course = Course(a.out, dict(model=model), minutes=a.minutes, rate=a.rate, decay_from=a.decay_from, warm_up=60)
    kept = Course.kept(a.out)
    if kept is not None:
        course.go_on(kept)
        batches.random = np.random.default_rng(a.seed + course.step)
    episodes = len(set(samples.episode))
    print(f"{len(samples)} samples, {episodes} episodes; {a.head}: {sum(p.numel() for p in course.parameters) / 1e6:.2f} M parameters learn, from step {course.step}", flush=True)

    def loss_of(batch: dict[str, Tensor]) -> Tensor:
        with torch.no_grad():
            _, keep, blocks, cache, _ = observe(model, batch)
        if a.head == "bins":
            error = action_heads.bins_loss(action_heads.bin_scores(model, cache, keep, COUNT, hidden(keep, blocks, batch, a.hide)), batch["actions"][..., :DIMENSIONS], bins)
            return (error * batch["mask"]).sum() / batch["mask"].sum()
        repeat = lambda x: x.repeat_interleave(a.draws, 0)
        actions, inside = repeat(batch["actions"]), repeat(batch["mask"])
        x, target, t = (action_heads.flow_pair if a.head == "flow" else action_heads.diffusion_pair)(actions, torch.randn_like(actions))
        seen = hidden(repeat(keep), blocks, batch, a.hide)
        said = model.velocity([(repeat(k), repeat(v)) for k, v in cache], repeat(keep), x, t, seen).float()
        return (((said - target) ** 2).mean(-1) * inside).sum() / inside.sum()

    def save() -> None:
        course.keep()
        write(a.out / "checkpoint", a, course.average, stats, bins, dict(head=a.head, **course.card(a.batch, episodes, a.seed)))

    running, reported = None, time.time()
    for rate in course.steps():
        # float32: with this little to multiply, bfloat16 was slower (2.3 against 1.7 s for 64 observations with four noises, one core).
        loss = loss_of(batches.draw(a.batch))
        course.learn(loss)
        number = float(loss.detach())
        running = number if running is None else 0.98 * running + 0.02 * number
        if time.time() - reported > 60:
            reported = time.time()
            print(f"{course.spent / 60:6.1f} min  step {course.step}  rate {rate:.1e}  loss {running:.4f}  chunk error {chunk_error(model, batches, stats, a.head, bins):.2f} units  "
                  f"{course.step * a.batch / course.spent:.0f} samples/s", flush=True)
            save()
    save()


@torch.no_grad()
def chunk_error(model: SmolVla, batches: Batches, stats: dict, head: str, bins: action_heads.Bins, size: int = 128) -> float:
    """Mean |drawn - demonstrated| over real joints and rows, joint units."""
    batch = batches.draw(size)
    _, keep, _, cache, _ = observe(model, batch)
    noise = torch.randn_like(batch["actions"])
    x0 = {
        "flow": lambda: model.sample(cache, keep, noise, STEPS["flow"]),
        "diffusion": lambda: action_heads.sample_diffusion(model, cache, keep, noise, STEPS["diffusion"]),
        "bins": lambda: action_heads.sample_bins(model, cache, keep, bins),
    }[head]()
    error = ((x0 - batch["actions"])[..., :DIMENSIONS] * t32(stats["action"]["std"])).abs() * batch["mask"][:, :, None]
    return float(error.sum() / (batch["mask"].sum() * DIMENSIONS))


def base_statistics(base: pathlib.Path) -> dict[str, dict[str, np.ndarray]]:
    """What the base's numbers mean to it: its own statistics, whatever the new demonstrations' are."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for step in json.loads((base / "policy_preprocessor.json").read_text())["steps"]:
        if "state_file" in step:
            for key, values in load_file(base / step["state_file"]).items():
                feature, name = key.rsplit(".", 1)
                found.setdefault(feature, {})[name] = values
    return found


def write(out: pathlib.Path, a: argparse.Namespace, weights: dict[str, Tensor], stats: dict, bins: action_heads.Bins, training: dict) -> None:
    checkpoint.write(out, a.base, weights, stats, training)
    config = json.loads((out / "config.json").read_text())
    config["num_steps"] = STEPS[a.head]
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    if a.head == "flow":
        return
    head = {"kind": "diffusion"} if a.head == "diffusion" else {"kind": "bins", "count": COUNT, "low": bins.low.tolist(), "high": bins.high.tolist()}
    (out / "action_head.json").write_text(json.dumps(head) + "\n")
    card = json.loads((out / "card.json").read_text())
    card["name"] = f"pocket-{a.head}"
    card["training"]["summary"] = f"The action head alone, from the pocket policy's expert and on its eyes: {training['episodes']} demonstrations by the scripted expert, {training['samples']} samples, {training['minutes']:.0f} minutes on one CPU core."
    card["about"] = "The pocket policy with another action head, to compare families. What it reaches is counted in evidence/evaluation.md."
    card["weights_sha256"] = hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()
    (out / "card.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
