"""Three families of action heads on one expert: how each is taught, and how each draws a chunk.

All three read the same rows of SmolVLA's expert (`smolvla.py`, `expert_rows`) over the same keys and values of pictures, words
and state. They differ in what is asked of a row and in how often.

    flow        between noise and actions in straight lines     x_t = t n + (1 - t) x0          target n - x0
                N steps  x <- x - v / N                         (SmolVLA, pi0; in `smolvla.py`)
    diffusion   between them on a circle, a = t pi / 2           x_a = cos(a) x0 + sin(a) n      target cos(a) n - sin(a) x0
                N steps  x <- cos(d) x - sin(d) v, d = pi / 2N   (Diffusion Policy, Octo)
    bins        each number one of K equal bins                  K scores a number               cross entropy
                one pass, the likeliest bin's middle             (RT-2, OpenVLA; all numbers at once as OpenVLA-OFT)

Diffusion: the cosine schedule (Nichol & Dhariwal 2021), v-prediction (Salimans & Ho 2022), whose deterministic DDIM step is
that rotation exactly: x0 = cos(a) x - sin(a) v, n = sin(a) x + cos(a) v, put together again at a - d. Unlike a prediction of
the noise it may begin at pure noise, where cos(a) is 0.

Bins: the expert is asked once, with zeros for a noisy chunk and t = 1; rows tell themselves apart by their positions. It knows
no order among bins unless it is taught one: targets are spread over neighbours with a standard deviation of SPREAD bins.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smolvla import SmolVla

SPREAD = 1.5


@dataclass(frozen=True)
class Bins:
    """`count` equal bins a number, from low to high, [dimensions] each, in normalised units. What lies outside is in the outermost."""

    count: int
    low: Tensor
    high: Tensor

    def position(self, x: Tensor) -> Tensor:
        """[..., dimensions] -> where in 0 .. count - 1 it lies, not rounded."""
        return ((x - self.low) / (self.high - self.low) * self.count - 0.5).clamp(0, self.count - 1)

    def middle(self, index: Tensor) -> Tensor:
        return self.low + (index.float() + 0.5) * (self.high - self.low) / self.count


def flow_pair(actions: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x at a drawn time, what the head is to say of it, and the times [B]: as LeRobot draws them for SmolVLA."""
    t = torch.distributions.Beta(1.5, 1.0).sample((len(actions),)).to(actions.device) * 0.999 + 0.001
    share = t[:, None, None]
    return share * noise + (1 - share) * actions, noise - actions, t


def diffusion_pair(actions: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same for diffusion, times drawn evenly."""
    t = torch.rand(len(actions), device=actions.device)
    a = (t * (math.pi / 2))[:, None, None]
    return a.cos() * actions + a.sin() * noise, a.cos() * noise - a.sin() * actions, t


@torch.no_grad()
def sample_diffusion(model: SmolVla, cache, pad: Tensor, noise: Tensor, steps: int) -> Tensor:
    turn = math.pi / 2 / steps
    x = noise
    for s in range(steps):
        t = torch.full((x.shape[0],), 1.0 - s / steps, device=x.device)
        x = math.cos(turn) * x - math.sin(turn) * model.velocity(cache, pad, x, t)
    return x


def add_bins(model: SmolVla, dimensions: int, count: int) -> nn.Linear:
    """The head's one matrix, [dimensions * count, E], as `model.action_bins_proj` in the checkpoint."""
    model.model.action_bins_proj = nn.Linear(model.c.expert_width, dimensions * count)
    nn.init.normal_(model.model.action_bins_proj.weight, std=0.02)
    nn.init.zeros_(model.model.action_bins_proj.bias)
    return model.model.action_bins_proj


def bin_scores(model: SmolVla, cache, pad: Tensor, count: int, seen: Tensor | None = None) -> Tensor:
    """[B, A, dimensions, count]"""
    batch = pad.shape[0]
    x = torch.zeros(batch, model.c.chunk, model.c.max_action, device=pad.device)
    rows = model.expert_rows(cache, pad, x, torch.ones(batch, device=pad.device), seen)
    return model.model.action_bins_proj(rows).unflatten(-1, (-1, count))


def bins_loss(scores: Tensor, actions: Tensor, bins: Bins) -> Tensor:
    """[B, A]: cross entropy with the spread target, mean over dimensions."""
    at = bins.position(actions)[..., None]
    spread = torch.exp(-0.5 * ((torch.arange(bins.count, device=at.device) - at) / SPREAD) ** 2)
    spread = spread / spread.sum(-1, keepdim=True)
    return -(spread * F.log_softmax(scores.float(), -1)).sum(-1).mean(-1)


@torch.no_grad()
def sample_bins(model: SmolVla, cache, pad: Tensor, bins: Bins) -> Tensor:
    """[B, A, columns]: columns beyond the dimensions are 0."""
    found = bins.middle(bin_scores(model, cache, pad, bins.count).argmax(-1))
    return F.pad(found, (0, model.c.max_action - found.shape[-1]))
