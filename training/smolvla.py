"""SmolVLA in PyTorch, small enough to read: for training the pocket policy and for checking.

The page's own runner (src/core/policy/smolvla) is the product; this file is its trainable twin. Module names are
LeRobot's, so `state_dict()` is exactly the tensor list of a LeRobot checkpoint. It is proven equal to LeRobot by
`check_golden.py` (the golden vectors under src/core/policy/testing/golden). It knows no files and no dataset.

Shapes: B batch, I images, P patches a picture, T tokens a picture, S prefix tokens, A chunk rows, D text width,
E expert width, h query heads, g key/value heads, d head size.

  pictures [B,I,3,H,W] in [-1,1] ─ ViT ─ pixel shuffle ─ connector ─► [B,I*T,D] * sqrt(D)
  tokens   [B,L]  ─ embedding ───────────────────────────────────► [B,L,D]   * sqrt(D)
  state    [B,32] ─ state_proj ──────────────────────────────────► [B,1,D]
                                      prefix [B,S,D] ─ text layers ─► K_l, V_l of every layer
  x_t      [B,A,32], t [B] ─ action_in, time ─► suffix [B,A,E] ─ expert layers over K_l, V_l ─► velocity [B,A,32]
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROPE_BASE = 10_000.0  # LeRobot's own, whatever the text config says


@dataclass
class Config:
    """The fields that change the numbers, from `config.json` (policy) and `vlm_config.json` (backbone)."""

    image_size: int
    patch_size: int
    vision_width: int
    vision_layers: int
    vision_heads: int
    vision_ff: int
    shuffle: int
    text_width: int
    text_layers: int
    heads: int
    kv_heads: int
    head_dim: int
    text_ff: int
    vocab: int
    rms_eps: float
    expert_width: int
    expert_ff: int
    expert_layers: int
    self_every: int
    cross: bool
    chunk: int
    max_state: int
    max_action: int
    steps: int
    min_period: float
    max_period: float
    prefix_length: int
    image_tokens: tuple[int, int] | None  # (fake_token_around_image, global-img), where the set uses them

    @staticmethod
    def from_json(policy: dict, vlm: dict, special: dict | None = None) -> "Config":
        text, vision = vlm["text_config"], vlm["vision_config"]
        expert_width = int(text["hidden_size"] * policy.get("expert_width_multiplier", 0.75))
        kept = policy.get("num_vlm_layers", 16)
        layers = kept if kept > 0 else text["num_hidden_layers"]
        n_expert = policy.get("num_expert_layers", -1)
        wants_special = policy.get("add_image_special_tokens", False)
        return Config(
            image_size=vision["image_size"], patch_size=vision["patch_size"], vision_width=vision["hidden_size"],
            vision_layers=vision.get("num_hidden_layers", 12), vision_heads=vision["num_attention_heads"],
            vision_ff=vision.get("intermediate_size", 3072), shuffle=vlm.get("scale_factor", 4),
            text_width=text["hidden_size"], text_layers=layers, heads=text["num_attention_heads"],
            kv_heads=text["num_key_value_heads"],
            head_dim=text.get("head_dim") or text["hidden_size"] // text["num_attention_heads"],
            text_ff=text["intermediate_size"], vocab=text["vocab_size"], rms_eps=text.get("rms_norm_eps", 1e-5),
            expert_width=expert_width, expert_ff=expert_ff_width(expert_width),
            expert_layers=n_expert if n_expert > 0 else layers,
            self_every=policy.get("self_attn_every_n_layers", 2), cross="cross" in policy.get("attention_mode", "cross_attn"),
            chunk=policy.get("chunk_size", 50), max_state=policy.get("max_state_dim", 32),
            max_action=policy.get("max_action_dim", 32), steps=policy.get("num_steps", 10),
            min_period=policy.get("min_period", 4e-3), max_period=policy.get("max_period", 4.0),
            prefix_length=policy.get("prefix_length", -1),
            image_tokens=(special["fake_token_around_image"], special["global_image"]) if wants_special and special else None,
        )


def expert_ff_width(width: int) -> int:
    """LeRobot: two thirds, times four, rounded up to 256 (720 -> 2048)."""
    return 256 * math.ceil(int(4 * int(2 * width / 3)) / 256)


class RmsNorm(nn.Module):
    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


class VisionAttention(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.heads = c.vision_heads
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, nn.Linear(c.vision_width, c.vision_width))

    def forward(self, x: Tensor) -> Tensor:
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B,P,W] -> [B,heads,P,W/heads]
        out = attend(split(self.q_proj(x)), split(self.k_proj(x)), split(self.v_proj(x)))
        return self.out_proj(out.transpose(1, 2).flatten(2))


class VisionMlp(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.fc1 = nn.Linear(c.vision_width, c.vision_ff)
        self.fc2 = nn.Linear(c.vision_ff, c.vision_width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class VisionLayer(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(c.vision_width, eps=1e-6)
        self.self_attn = VisionAttention(c)
        self.layer_norm2 = nn.LayerNorm(c.vision_width, eps=1e-6)
        self.mlp = VisionMlp(c)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class VisionEmbeddings(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.patch_embedding = nn.Conv2d(3, c.vision_width, c.patch_size, c.patch_size)
        self.position_embedding = nn.Embedding((c.image_size // c.patch_size) ** 2, c.vision_width)

    def forward(self, x: Tensor) -> Tensor:
        return self.patch_embedding(x).flatten(2).transpose(1, 2) + self.position_embedding.weight


class VisionModel(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.embeddings = VisionEmbeddings(c)
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(VisionLayer(c) for _ in range(c.vision_layers))
        self.post_layernorm = nn.LayerNorm(c.vision_width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embeddings(x)
        for layer in self.encoder.layers:
            x = layer(x)
        return self.post_layernorm(x)


class Attention(nn.Module):
    """Projections only: the pattern (self, cross, joint) belongs to the policy."""

    def __init__(self, c: Config, width: int, kv_in: int):
        super().__init__()
        self.q_proj = nn.Linear(width, c.heads * c.head_dim, bias=False)
        self.k_proj = nn.Linear(kv_in, c.kv_heads * c.head_dim, bias=False)
        self.v_proj = nn.Linear(kv_in, c.kv_heads * c.head_dim, bias=False)
        self.o_proj = nn.Linear(c.heads * c.head_dim, width, bias=False)


class Mlp(nn.Module):
    def __init__(self, width: int, ff: int):
        super().__init__()
        self.gate_proj = nn.Linear(width, ff, bias=False)
        self.up_proj = nn.Linear(width, ff, bias=False)
        self.down_proj = nn.Linear(ff, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c: Config, width: int, ff: int, kv_in: int):
        super().__init__()
        self.input_layernorm = RmsNorm(width, c.rms_eps)
        self.self_attn = Attention(c, width, kv_in)
        self.post_attention_layernorm = RmsNorm(width, c.rms_eps)
        self.mlp = Mlp(width, ff)

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        x = x + self.self_attn.o_proj(attended)
        return x + self.mlp(self.post_attention_layernorm(x))


class TextModel(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.embed_tokens = nn.Embedding(c.vocab, c.text_width)
        self.layers = nn.ModuleList(Layer(c, c.text_width, c.text_ff, c.text_width) for _ in range(c.text_layers))
        self.norm = RmsNorm(c.text_width, c.rms_eps)  # stored by LeRobot, unused by inference


class Connector(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.modality_projection = nn.Module()
        self.modality_projection.proj = nn.Linear(c.vision_width * c.shuffle**2, c.text_width, bias=False)
        self.shuffle = c.shuffle

    def forward(self, x: Tensor) -> Tensor:
        """[B, side*side, W] -> [B, (side/f)^2, D]; channel order dy, dx, c."""
        batch, patches, width = x.shape
        side, f = int(patches**0.5), self.shuffle
        x = x.view(batch, side // f, f, side // f, f, width).permute(0, 1, 3, 2, 4, 5)
        return self.modality_projection.proj(x.reshape(batch, (side // f) ** 2, f * f * width))


class Expert(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        kv = c.kv_heads * c.head_dim
        self.layers = nn.ModuleList(
            Layer(c, c.expert_width, c.expert_ff, c.expert_width if is_self(c, i) else kv) for i in range(c.expert_layers)
        )
        self.norm = RmsNorm(c.expert_width, c.rms_eps)


def is_self(c: Config, layer: int) -> bool:
    return not c.cross or (c.self_every > 0 and layer % c.self_every == 0)


class SmolVla(nn.Module):
    """`self.model` so that state_dict keys begin with `model.` as in LeRobot's files."""

    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.model = nn.Module()
        m = self.model
        m.vlm_with_expert = nn.Module()
        m.vlm_with_expert.vlm = nn.Module()
        m.vlm_with_expert.vlm.model = nn.Module()
        vlm = m.vlm_with_expert.vlm.model
        vlm.vision_model = VisionModel(c)
        vlm.connector = Connector(c)
        vlm.text_model = TextModel(c)
        m.vlm_with_expert.lm_expert = Expert(c)
        m.state_proj = nn.Linear(c.max_state, c.text_width)
        m.action_in_proj = nn.Linear(c.max_action, c.expert_width)
        m.action_out_proj = nn.Linear(c.expert_width, c.max_action)
        m.action_time_mlp_in = nn.Linear(2 * c.expert_width, c.expert_width)
        m.action_time_mlp_out = nn.Linear(c.expert_width, c.expert_width)

    # -- prefix ---------------------------------------------------------------------------------------------------

    def image_tokens(self, pictures: Tensor) -> Tensor:
        """[B,3,H,W] in [-1,1] -> [B,T,D], unscaled."""
        vlm = self.model.vlm_with_expert.vlm.model
        return vlm.connector(vlm.vision_model(pictures))

    def embed_prefix(self, images: list[Tensor], image_mask: Tensor, tokens: Tensor, token_mask: Tensor, state: Tensor):
        """images: I tensors [B,T,D] from `image_tokens`; image_mask [B,I]. Returns prefix [B,S,D], pad [B,S], blocks [S]."""
        c, vlm = self.c, self.model.vlm_with_expert.vlm.model
        scale, batch = math.sqrt(c.text_width), tokens.shape[0]
        parts, pads = [], []

        def special(ids: list[int]) -> None:
            rows = vlm.text_model.embed_tokens.weight[ids].expand(batch, -1, -1)
            parts.append(rows)
            pads.append(torch.ones(batch, len(ids), dtype=torch.bool))

        for i, image in enumerate(images):
            if c.image_tokens:
                special(list(c.image_tokens))
            parts.append(image * scale)
            pads.append(image_mask[:, i : i + 1].expand(-1, image.shape[1]))
            if c.image_tokens:
                special([c.image_tokens[0]])
        parts.append(vlm.text_model.embed_tokens(tokens) * scale)
        pads.append(token_mask)
        parts.append(self.model.state_proj(state)[:, None])
        pads.append(torch.ones(batch, 1, dtype=torch.bool))
        prefix, pad = torch.cat(parts, 1), torch.cat([p.to(tokens.device) for p in pads], 1)
        state_at = prefix.shape[1] - 1
        short = c.prefix_length - prefix.shape[1]
        if short > 0:
            prefix, pad = F.pad(prefix, (0, 0, 0, short)), F.pad(pad, (0, short))
        # Everything is one block but the state token, which opens a second: it sees all, only the actions see it.
        blocks = (torch.arange(prefix.shape[1], device=prefix.device) >= state_at).long()
        return prefix, pad, blocks

    def run_prefix(self, prefix: Tensor, pad: Tensor, blocks: Tensor):
        """Returns per-layer (K roped, V), each [B,S,g,d], and the hidden states that enter each layer, each [B,S,D]."""
        c = self.c
        position = pad.long().cumsum(1) - 1
        allowed = (blocks[None, None, :] <= blocks[None, :, None]) & pad[:, None, :] & pad[:, :, None]
        x, cache, entering = prefix, [], []
        layers = self.model.vlm_with_expert.vlm.model.text_model.layers
        for i, layer in enumerate(layers):
            entering.append(x)
            h = layer.input_layernorm(x)
            k = rope(self._heads(layer.self_attn.k_proj(h), c.kv_heads), position)
            v = self._heads(layer.self_attn.v_proj(h), c.kv_heads)
            cache.append((k, v))
            if i == len(layers) - 1:
                break  # what follows is never read
            q = rope(self._heads(layer.self_attn.q_proj(h), c.heads), position)
            x = layer.finish(x, self._attend(q, k, v, allowed))
        return cache, entering

    # -- suffix ---------------------------------------------------------------------------------------------------

    def embed_suffix(self, x_t: Tensor, t: Tensor) -> Tensor:
        m = self.model
        u = m.action_in_proj(x_t)
        time = time_embedding(t, self.c).to(u.dtype)[:, None].expand_as(u)
        return m.action_time_mlp_out(F.silu(m.action_time_mlp_in(torch.cat([u, time], -1))))

    def velocity(self, cache, pad: Tensor, x_t: Tensor, t: Tensor, seen: Tensor | None = None) -> Tensor:
        """The flow at x_t [B,A,32] and time t [B] (1 = noise, 0 = actions): what LeRobot's denoise step returns.

        `seen` [B,S], training only: the part of the prefix the actions may look at, where that is not all of `pad`. Positions
        are counted as if nothing were hidden."""
        return self.model.action_out_proj(self.expert_rows(cache, pad, x_t, t, seen))

    def expert_rows(self, cache, pad: Tensor, x_t: Tensor, t: Tensor, seen: Tensor | None = None) -> Tensor:
        """What the expert makes of x_t and t before the last matrix, [B,A,E]: what every action head reads (`action_heads.py`)."""
        c, m = self.c, self.model
        y = self.embed_suffix(x_t, t)
        batch, rows = x_t.shape[:2]
        own = torch.arange(rows, device=x_t.device)
        valid = pad.sum(1, keepdim=True)
        causal = (own[None, :] <= own[:, None]).expand(batch, -1, -1)
        to_prefix = (pad if seen is None else seen)[:, None, :].expand(-1, rows, -1)
        stride = c.text_layers // c.expert_layers
        for j, layer in enumerate(m.vlm_with_expert.lm_expert.layers):
            i = j * stride
            k_prefix, v_prefix = cache[i]
            h = layer.input_layernorm(y)
            q = self._heads(layer.self_attn.q_proj(h), c.heads)
            if is_self(c, i):
                position = valid + own
                k = rope(self._heads(layer.self_attn.k_proj(h), c.kv_heads), position)
                v = self._heads(layer.self_attn.v_proj(h), c.kv_heads)
                attended = self._attend(
                    rope(q, position), torch.cat([k_prefix, k], 1), torch.cat([v_prefix, v], 1), torch.cat([to_prefix, causal], 2)
                )
            else:
                k = self._heads(layer.self_attn.k_proj(k_prefix.flatten(2)), c.kv_heads)
                v = self._heads(layer.self_attn.v_proj(v_prefix.flatten(2)), c.kv_heads)
                attended = self._attend(rope(q, own.expand(batch, -1)), k, v, to_prefix)
            y = layer.finish(y, attended)
        return m.vlm_with_expert.lm_expert.norm(y)

    @torch.no_grad()
    def sample(self, cache, pad: Tensor, noise: Tensor, steps: int | None = None) -> Tensor:
        """Euler from noise at t = 1 to actions at t = 0."""
        n = steps or self.c.steps
        x = noise
        for s in range(n):
            t = torch.full((x.shape[0],), 1.0 - s / n, device=x.device)
            x = x - self.velocity(cache, pad, x, t) / n
        return x

    # -- small parts ----------------------------------------------------------------------------------------------

    def _heads(self, x: Tensor, count: int) -> Tensor:
        return x.unflatten(-1, (count, self.c.head_dim))

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, allowed: Tensor) -> Tensor:
        """q [B,Q,h,d], k and v [B,K,g,d], allowed [B,Q,K] -> [B,Q,h*d]. Query head i reads key head floor(i*g/h)."""
        group = self.c.heads // self.c.kv_heads
        k, v = k.repeat_interleave(group, 2).transpose(1, 2), v.repeat_interleave(group, 2).transpose(1, 2)
        # Finite: a row with every key masked must not become NaN. The smallest of its own type: float32's is none of bfloat16's.
        bias = torch.zeros(allowed.shape, dtype=q.dtype, device=q.device).masked_fill(~allowed, torch.finfo(q.dtype).min)[:, None]
        return attend(q.transpose(1, 2), k, v, bias).transpose(1, 2).flatten(2)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """softmax(q k' / sqrt(d) + bias) v, spelled out. For rows this short, PyTorch's fused form spends more than all else
    in its backward pass on a CPU: 2.38 against 1.22 processor seconds for a batch of 64."""
    scores = (q @ k.transpose(-1, -2)).float() / math.sqrt(q.shape[-1])
    if bias is not None:
        scores = scores + bias
    return scores.softmax(-1).to(v.dtype) @ v


def rope(x: Tensor, position: Tensor) -> Tensor:
    """Half-split rotary embedding; x [B,N,heads,d], position [B,N]."""
    half = x.shape[-1] // 2
    frequency = ROPE_BASE ** (-torch.arange(half, dtype=torch.float32, device=x.device) / half)
    angle = (position[..., None].float() * frequency)[:, :, None]
    sin, cos = angle.sin(), angle.cos()
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1).to(x.dtype)


def time_embedding(t: Tensor, c: Config) -> Tensor:
    """[B] -> [B,E]: all sines, then all cosines, in float64 (float32 is off by up to 1.2e-4)."""
    half = c.expert_width // 2
    ratio = torch.linspace(0, 1, half, dtype=torch.float64, device=t.device)
    period = c.min_period * (c.max_period / c.min_period) ** ratio
    angle = t.double()[:, None] * (2 * math.pi / period)
    return torch.cat([angle.sin(), angle.cos()], -1).float()
