"""The course of a training: how long it has learnt, how fast it learns now, the running average of what was learnt; kept in a
file, so that the same command goes on where it was broken off. Knows nothing of what is learnt: a trainer hands in modules
and a step's loss.
"""
from __future__ import annotations

import pathlib
import time
from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Course:
    """Steps of AdamW until a budget of minutes is spent; the rate rises over `warm_up` steps, is level, then falls straight to nothing.

    `modules` are kept by name; of `modules["model"]` the parameters that learn are averaged (EMA), and the average is what ships.
    """

    def __init__(self, out: pathlib.Path, modules: dict[str, nn.Module], *, minutes: float, rate: float, decay_from: float, warm_up: int, device: str = "cpu"):
        self.out, self.modules, self.minutes, self.rate, self.decay_from, self.warm_up, self.device = out, modules, minutes, rate, decay_from, warm_up, device
        self.parameters = [p for module in modules.values() for p in module.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.parameters, lr=rate, betas=(0.9, 0.95), weight_decay=0.05)
        self.average = {k: v.clone() for k, v in modules["model"].state_dict().items()}
        self.learning = {k for k, v in modules["model"].named_parameters() if v.requires_grad}
        self.step, self.spent = 0, 0.0
        out.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def kept(out: pathlib.Path, device: str = "cpu") -> dict | None:
        """What an earlier run has left in `out`; None where there was none."""
        last = out / "last.pt"
        return torch.load(last, map_location=device, weights_only=True) if last.exists() else None

    def go_on(self, kept: dict) -> None:
        for name, module in self.modules.items():
            module.load_state_dict(kept[name])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.average, self.step, self.spent = kept["average"], kept["step"], kept["spent"]

    def keep(self, **more: object) -> None:
        """Written beside and moved over, so that a run cut off while writing leaves the one before."""
        states = {name: module.state_dict() for name, module in self.modules.items()}
        writing = self.out / "writing.pt"
        torch.save(dict(**states, optimiser=self.optimiser.state_dict(), average=self.average, step=self.step, spent=self.spent, **more), writing)
        writing.replace(self.out / "last.pt")

    def steps(self) -> Iterable[float]:
        """The rate of each step, until the budget is spent. Processor time of one thread, or the card's wall clock: a training that
        is paused for other work does not lose its schedule."""
        clock = time.time if self.device != "cpu" else (lambda: time.process_time() / torch.get_num_threads())
        began, already, budget = clock(), self.spent, self.minutes * 60
        while self.spent < budget:
            left = max(0.0, 1 - self.spent / budget) / (1 - self.decay_from)
            now = self.rate * min(1, (self.step + 1) / self.warm_up, left)
            for group in self.optimiser.param_groups:
                group["lr"] = now
            yield now
            self.spent = already + clock() - began

    def learn(self, loss: Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(0.999, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for key, value in self.modules["model"].state_dict().items():
                if key in self.learning:
                    self.average[key].lerp_(value, 1 - decay)

    def card(self, batch: int, episodes: int, seed: int) -> dict:
        """What the checkpoint's card says of the training."""
        return dict(steps=self.step, samples=self.step * batch, minutes=round(self.spent / 60, 1), episodes=episodes, seed=seed, device=self.device)
