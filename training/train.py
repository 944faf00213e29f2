"""Trains the pocket policy: flow matching on action chunks, as LeRobot trains SmolVLA, with one auxiliary loss.

    python training/train.py --episodes DIR --base public/policies/pocket --out DIR [--minutes 60] [--device cpu]

`--base` gives configuration and tokenizer (its weights are not used unless --warm). Resumes from `--out`/last.pt.
Writes a LeRobot checkpoint (EMA weights) to `--out`/checkpoint every few minutes.

The objective, from LeRobot's training code:  t ~ Beta(1.5, 1) * 0.999 + 0.001,  x_t = t * noise + (1 - t) * action,
target velocity = noise - action, mean squared error over rows inside the episode.

The auxiliary loss makes a small data set go further: from the picture tokens alone a throw-away head must say where each
cube is (each token for itself, the likeliest one counts), and from the state token (which has read pictures and sentence) others must say where the cube asked for is, and
where that is from the gripper. They ask in the upper half of the text layers, not only at the end: the expert's layer j
reads text layer j, and a target that is known only to the last one comes too late to shape a path. (Asked at the end
alone, after 120,000 samples the head named the right cube in 90 % of unseen pictures, and the arm touched it in 2 episodes of 20.)
All heads are dropped at export; the checkpoint is a plain SmolVLA.
"""
from __future__ import annotations

import argparse
import json
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import checkpoint
import dataset
from action_heads import flow_pair
from course import Course
from smolvla import Config, SmolVla

METRE = 10.0  # positions are learnt in decimetres, so that losses are of one size
SHIFT_PIXELS = 1  # of 96: some 2.5 mm on the table; what a plan cannot know better it samples, and a finger has some 10 mm of room
STATE_NOISE = 0.02  # of a joint's standard deviation: half a degree, 2 mm at the fingers


class AuxiliaryHeads(nn.Module):
    """Where are the cubes (from picture tokens), and where is the one asked for (from the state token)?"""

    def __init__(self, c: Config):
        super().__init__()
        # Of every picture token and colour: how likely it is there, and where it then is. One linear map for all tokens, so
        # that what a token says of its own square is learnt from every square of every picture, and is easy to attend to.
        self.cubes = nn.Linear(c.text_width, 4 * 4)
        self.first = c.text_layers // 2
        self.target = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(c.text_width), nn.Linear(c.text_width, 128), nn.GELU(), nn.Linear(128, 6)) for _ in range(self.first, c.text_layers)
        )

    def forward(self, images: Tensor, entering: list[Tensor]) -> tuple[Tensor, Tensor]:
        """images [B,T,D] of all cameras, `entering` as from `run_prefix`. Returns cubes [B,4,4] and targets [B,layers asked,6]."""
        asked = [head(x[:, -1]) for head, x in zip(self.target, entering[self.first :])]
        place, score = self.cubes(images).float().unflatten(-1, (4, 4)).split((3, 1), -1)
        # [B,T,colour,3] weighed by which token is the likeliest; present where any token says so.
        where = (score.softmax(1) * place).sum(1)
        return torch.cat([where, score.logsumexp(1)], -1), torch.stack(asked, 1)


class Batches:
    """Normalised tensors of the samples, dealt in a seeded random order.

    `elsewhere`: the share of samples dealt with another cube's colour in the sentence. Their actions are not looked at, only
    where the heads say that cube is. Without them the heads learn to read the target off the arm, which is on its way there:
    in new scenes they named the right cube in 98 % of the pictures with the arm under way, and in 77 % of those before."""

    def __init__(self, samples: dataset.Samples, stats: dict, c: Config, tokenize, seed: int, device: str, elsewhere: float, reword: float = 0.0):
        self.samples, self.c, self.device, self.elsewhere, self.reword, self.tokenize = samples, c, device, elsewhere, reword, tokenize
        self.random = np.random.default_rng(seed)
        sentences = list(samples.sentences)
        # [sentence, colour] -> the same sentence about that colour; -1 where it names none or more than one.
        self.about = np.full((len(samples.sentences), len(dataset.COLOURS)), -1)
        for i, sentence in enumerate(samples.sentences):
            named = [colour for colour in dataset.COLOURS if colour in sentence]
            for k, colour in enumerate(dataset.COLOURS if len(named) == 1 else ()):
                other = sentence.replace(named[0], colour)
                if other not in sentences:
                    sentences.append(other)
                self.about[i, k] = sentences.index(other)
        self.sentences = sentences
        # The demonstrations' wordings of each task, with C for the colour.
        self.wordings: dict[str, list[str]] = {}
        for sentence, kind in zip(samples.sentences, (samples.kind[np.argmax(samples.sentence == i)] for i in range(len(samples.sentences)))):
            wording = without_colour(sentence)[0]
            if wording not in self.wordings.setdefault(str(kind), []):
                self.wordings[str(kind)].append(wording)
        tokens = [tokenize(s) for s in sentences]
        longest = max(len(t) for t in tokens)
        self.tokens = torch.tensor([t + [0] * (longest - len(t)) for t in tokens])
        self.token_mask = torch.tensor([[True] * len(t) + [False] * (longest - len(t)) for t in tokens])
        s, a = stats["observation.state"], stats["action"]
        self.state = pad((torch.from_numpy(samples.state) - t32(s["mean"])) / (t32(s["std"]) + 1e-8), c.max_state)
        self.actions = pad((torch.from_numpy(samples.actions) - t32(a["mean"])) / (t32(a["std"]) + 1e-8), c.max_action)
        self.mask = torch.from_numpy(samples.action_mask)
        self.cubes = torch.from_numpy(samples.cubes) * METRE
        self.grip = torch.from_numpy(samples.grip) * METRE
        # A task seen in few samples is dealt as often as the others.
        kinds, counts = np.unique(samples.kind, return_counts=True)
        weight = dict(zip(kinds, 1 / np.sqrt(counts)))
        self.weight = np.array([weight[k] for k in samples.kind])
        self.weight /= self.weight.sum()

    def draw(self, size: int) -> dict[str, Tensor]:
        pick = self.random.choice(len(self.samples), size, p=self.weight)
        index = torch.from_numpy(pick)
        said, target, mask = self.samples.sentence[pick].copy(), self.samples.target[pick].copy(), self.mask[index].clone()
        for row, sample in enumerate(pick):
            others = [k for k in np.flatnonzero(~np.isnan(self.samples.cubes[sample, :, 0])) if k != target[row] and self.about[said[row], k] >= 0]
            if target[row] >= 0 and others and self.random.random() < self.elsewhere:
                target[row] = self.random.choice(others)
                said[row] = self.about[said[row], target[row]]
                mask[row] = 0
        pictures = torch.from_numpy(self.samples.pictures[pick]).permute(0, 1, 4, 2, 3)
        sentence = torch.from_numpy(said)
        tokens, token_mask = self.tokens[sentence], self.token_mask[sentence]
        if self.reword > 0:
            tokens, token_mask = self.reworded(pick, said)
        batch = dict(
            pictures=pictures, tokens=tokens, token_mask=token_mask, state=self.state[index],
            actions=self.actions[index], mask=mask, cubes=self.cubes[index], grip=self.grip[index], target=torch.from_numpy(target),
        )
        return {k: v.to(self.device, non_blocking=True) for k, v in batch.items()}


    def reworded(self, pick: np.ndarray, said: np.ndarray) -> tuple[Tensor, Tensor]:
        """The sentences dealt, in other words for a share of them: another wording of the same task out of the demonstrations, then
        now and then a word left out that names neither colour nor task, and a token of anything put in. No held-out wording is known here.

        A policy that has heard four ways to ask for a thing has learnt four sentences: after 726,000 samples it waved at
        "wave hello" 6 times of 6, at "wave and say hello" 5 times of 16; it slid a cube left 11 times of 11, and 0 of 5 "over to the left"."""
        rows = []
        for sample, sentence in zip(pick, said):
            text = self.sentences[sentence]
            if self.random.random() < self.reword:
                wording = str(self.random.choice(self.wordings[str(self.samples.kind[sample])]))
                words = wording.replace("C", without_colour(text)[1] or "C").split()
                words = [w for w in words if w not in FILLING or self.random.random() > 0.15]
                ids = list(self.tokenize(" ".join(words)))
                while self.random.random() < 0.5 and len(ids) < MOST_TOKENS:
                    ids.insert(int(self.random.integers(0, len(ids))), int(self.random.integers(3, self.c.vocab)))
                rows.append(ids)
            else:
                rows.append(list(self.tokenize(text)))
        longest = max(len(r) for r in rows)
        return torch.tensor([r + [0] * (longest - len(r)) for r in rows]), torch.tensor([[True] * len(r) + [False] * (longest - len(r)) for r in rows])


MOST_TOKENS = 20  # of the 24 that the configuration allows
# Words that say neither what to do nor to which cube.
FILLING = ("the", "cube", "to", "it", "and", "in", "into", "at", "me", "up", "for")


def without_colour(sentence: str) -> tuple[str, str | None]:
    """"touch the red cube" -> "touch the C cube", "red"."""
    for colour in dataset.COLOURS:
        if colour in sentence:
            return sentence.replace(colour, "C"), colour
    return sentence, None


def t32(x) -> Tensor:
    return torch.from_numpy(np.asarray(x, dtype=np.float32))


def pad(x: Tensor, width: int) -> Tensor:
    return F.pad(x.float(), (0, width - x.shape[-1]))


def augment(pictures: Tensor) -> Tensor:
    """uint8 [B,I,3,H,W] -> [-1,1]: brightness, contrast and a little noise, per sample and camera."""
    x = pictures.float() / 255
    b, i = x.shape[:2]
    shape = (b, i, 1, 1, 1)
    x = x * (1 + 0.2 * (torch.rand(shape, device=x.device) - 0.5)) + 0.1 * (torch.rand(shape, device=x.device) - 0.5)
    x = x + 0.02 * torch.randn_like(x)
    return shifted(x, SHIFT_PIXELS).clamp(0, 1) * 2 - 1


def shifted(x: Tensor, most: int) -> Tensor:
    """[B,I,3,H,W], each picture moved by up to `most` pixels either way; its border is repeated."""
    b, i, _, h, w = x.shape
    x = F.pad(x.flatten(0, 1), (most,) * 4, mode="replicate")
    n = torch.arange(b * i, device=x.device)
    top, left = (torch.randint(0, 2 * most + 1, (b * i,), device=x.device) for _ in range(2))
    rows, columns = top[:, None] + torch.arange(h, device=x.device), left[:, None] + torch.arange(w, device=x.device)
    # Advanced indices with a slice between them: the result is [N,H,W,3].
    return x[n[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).unflatten(0, (b, i))


def observe(model: SmolVla, batch: dict[str, Tensor]):
    """The batch's observations, augmented, through eyes and text layers: picture tokens [B,I,T,D], then as `embed_prefix` and `run_prefix`."""
    pictures = augment(batch["pictures"])
    b, cameras = pictures.shape[:2]
    tokens = model.image_tokens(pictures.flatten(0, 1)).unflatten(0, (b, cameras))
    present = torch.ones(b, cameras, dtype=torch.bool, device=pictures.device)
    state = batch["state"] + STATE_NOISE * torch.randn_like(batch["state"])
    prefix, keep, blocks = model.embed_prefix(list(tokens.unbind(1)), present, batch["tokens"], batch["token_mask"], state)
    cache, entering = model.run_prefix(prefix, keep, blocks)
    return tokens, keep, blocks, cache, entering


def hidden(keep: Tensor, blocks: Tensor, batch: dict[str, Tensor], share: float) -> Tensor:
    """`keep` [B,S] without the picture tokens in a `share` of its rows. The prefix is pictures, words, state token (and what fills it up)."""
    seen = keep.clone()
    pictures_end = int(blocks.argmax()) - batch["tokens"].shape[1]
    seen[:, :pictures_end] &= torch.rand(len(keep), 1, device=seen.device) >= share
    return seen


def losses(model: SmolVla, heads: AuxiliaryHeads, batch: dict[str, Tensor], draws: int, hide: float) -> dict[str, Tensor]:
    """`draws`: how many noises and times each observation is shown with. The prefix, where nine tenths of the arithmetic
    is, runs once for all of them: four draws cost a third more than one and teach the expert as much as four samples.

    `hide`: the share of draws in which the expert does not see the picture tokens, only the words and the state token, which
    has looked at the pictures for it. Without this the expert learns each training picture's path by heart: after 120,000
    samples of 907 scenes it explained 0.64 of the variance of where the base turns in the next half second in scenes it knew
    and less than nothing (-0.36) in new ones, although the state token named the right cube in 90 % of those."""
    tokens, keep, blocks, cache, entering = observe(model, batch)
    b = len(keep)

    repeat = lambda x: x.repeat_interleave(draws, 0)
    actions = repeat(batch["actions"])
    x_t, wanted, t = flow_pair(actions, torch.randn_like(actions))
    seen = hidden(repeat(keep), blocks, batch, hide)
    velocity = model.velocity([(repeat(k), repeat(v)) for k, v in cache], repeat(keep), x_t, t, seen).float()
    inside = repeat(batch["mask"])[:, :, None]
    flow = (((velocity - wanted) ** 2) * inside).sum() / (inside.sum() * actions.shape[-1])

    cubes, target = (o.float() for o in heads(tokens.flatten(1, 2), entering))
    there = ~batch["cubes"][..., 0].isnan()
    position = (cubes[..., :3] - batch["cubes"].nan_to_num())[there]
    presence = F.binary_cross_entropy_with_logits(cubes[..., 3], there.float())
    asked = batch["target"] >= 0
    place = batch["cubes"].nan_to_num()[torch.arange(b, device=asked.device), batch["target"].clamp(min=0)]
    goal = torch.cat([place, place - batch["grip"]], -1)
    aside = (target - goal[:, None])[asked]
    return dict(flow=flow, cubes=position.abs().mean(), presence=presence, target=aside.abs().mean())


@torch.no_grad()
def chunk_error(model: SmolVla, batches: Batches, stats: dict, size: int = 128) -> float:
    """Mean |sampled - demonstrated| over real joints and rows, joint units: what the flow loss means on the arm."""
    batch = batches.draw(size)
    pictures = batch["pictures"].float() / 127.5 - 1
    b, cameras = pictures.shape[:2]
    tokens = model.image_tokens(pictures.flatten(0, 1)).unflatten(0, (b, cameras))
    present = torch.ones(b, cameras, dtype=torch.bool, device=pictures.device)
    prefix, keep, blocks = model.embed_prefix(list(tokens.unbind(1)), present, batch["tokens"], batch["token_mask"], batch["state"])
    cache, _ = model.run_prefix(prefix, keep, blocks)
    x0 = model.sample(cache, keep, torch.randn_like(batch["actions"]))
    error = ((x0 - batch["actions"])[..., :6] * t32(stats["action"]["std"]).to(x0.device)).abs() * batch["mask"][:, :, None]
    return float(error.sum() / (batch["mask"].sum() * 6))


def initialise(model: SmolVla) -> None:
    """Small normal weights, as the backbones are initialised; residual outputs smaller, so that depth starts quietly."""
    for name, module in model.named_modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            fan_in = module.weight[0].numel()
            quiet = 0.5 if name.endswith(("o_proj", "down_proj", "out_proj", "fc2")) else 1.0
            nn.init.normal_(module.weight, std=quiet / math.sqrt(fan_in))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            # The policy multiplies picture and word tokens by sqrt(width): embeddings of that inverse give tokens of size one.
            nn.init.normal_(module.weight, std=1 / math.sqrt(module.weight.shape[1]))
    nn.init.zeros_(model.model.action_out_proj.weight)
    proj = model.model.vlm_with_expert.vlm.model.connector.modality_projection.proj
    nn.init.normal_(proj.weight, std=1 / (math.sqrt(proj.weight.shape[1]) * math.sqrt(model.c.text_width)))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--episodes", type=pathlib.Path, required=True)
    p.add_argument("--base", type=pathlib.Path, required=True)
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--minutes", type=float, default=60)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--draws", type=int, default=4, help="noises and times an observation is shown with")
    p.add_argument("--hide", type=float, default=0.7, help="share of draws in which the expert does not see the pictures itself")
    p.add_argument("--elsewhere", type=float, default=0.5, help="share of samples asked about another cube, without actions")
    p.add_argument("--reword", type=float, default=0.7, help="share of sentences dealt in other words")
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--decay-from", type=float, default=0.6, help="share of the budget after which the rate falls, linearly, to nothing")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--device", default="cpu")
    p.add_argument("--threads", type=int, default=0)
    p.add_argument("--warm", action="store_true", help="start from the base's weights")
    a = p.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)

    c = checkpoint.read_config(a.base)
    samples = dataset.load(a.episodes, c.chunk)
    kept = Course.kept(a.out, a.device)
    # Episodes may be added between runs; what the numbers mean to the model may not change under it.
    stats = dataset.statistics(samples) if kept is None else {f: {k: v.numpy() for k, v in group.items()} for f, group in kept["stats"].items()}
    batches = Batches(samples, stats, c, checkpoint.tokenizer(a.base), a.seed, a.device, a.elsewhere, a.reword)
    model = SmolVla(c).to(a.device)
    initialise(model)
    if a.warm:
        checkpoint.load_weights(model, a.base)
    heads = AuxiliaryHeads(c).to(a.device)
    course = Course(a.out, dict(model=model, heads=heads), minutes=a.minutes, rate=a.rate, decay_from=a.decay_from, warm_up=300, device=a.device)
    if kept is not None:
        course.go_on(kept)
        batches.random = np.random.default_rng(a.seed + course.step)
    episodes = len(set(samples.episode))
    print(f"{len(samples)} samples, {episodes} episodes, {len(samples.sentences)} sentences, "
          f"{sum(v.numel() for v in model.parameters()) / 1e6:.2f} M parameters, from step {course.step}", flush=True)

    def save() -> None:
        course.keep(stats={f: {k: torch.from_numpy(np.asarray(v)) for k, v in group.items()} for f, group in stats.items()})
        checkpoint.write(a.out / "checkpoint", a.base, course.average, stats, course.card(a.batch, episodes, a.seed))

    running, reported = {}, time.time()
    for rate in course.steps():
        with torch.autocast(a.device.split(":")[0], torch.bfloat16):
            parts = losses(model, heads, batches.draw(a.batch), a.draws, a.hide)
            loss = parts["flow"] + 0.5 * parts["cubes"] + 0.1 * parts["presence"] + 1.0 * parts["target"]
        course.learn(loss)
        for key, value in parts.items():
            number = float(value.detach())
            running[key] = 0.98 * running.get(key, number) + 0.02 * number
        if time.time() - reported > 30:
            reported = time.time()
            error = chunk_error(model, batches, stats)
            print(f"{course.spent / 60:6.1f} min  step {course.step}  rate {rate:.1e}  flow {running['flow']:.4f}  cubes {running['cubes'] * 100:.1f} mm  "
                  f"target {running['target'] * 100:.1f} mm  chunk error {error:.2f} units  {course.step * a.batch / course.spent:.0f} samples/s", flush=True)
            save()
    save()


if __name__ == "__main__":
    main()
