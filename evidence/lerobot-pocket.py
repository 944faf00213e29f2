"""The shipped pocket policy computed by LeRobot's own class, against a chunk computed by the page's runner (npm run policy -- chunk).

    python training/lerobot_folder.py public/policies/pocket FOLDER
    python evidence/lerobot-pocket.py FOLDER case.safetensors      writes the case, first
    npm run policy -- chunk public/policies/pocket --input case.safetensors --output chunk.safetensors
    python evidence/lerobot-pocket.py FOLDER case.safetensors chunk.safetensors
"""
import pathlib
import sys

import numpy as np
import torch
from lerobot.policies.factory import make_pre_post_processors
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from safetensors.numpy import load_file, save_file

SENTENCE = "put the red cube in the bowl"
folder, case = sys.argv[1:3]
policy = SmolVLAPolicy.from_pretrained(folder).eval().float()
c = policy.config
random = np.random.default_rng(7)
if len(sys.argv) == 3:
    before, _ = make_pre_post_processors(c, folder)
    pictures = {k: random.integers(0, 256, (96, 96, 3), dtype=np.uint8) for k in c.image_features}
    state = np.array([3, -31, 28, 92, -88, 18], np.float32)
    noise = random.standard_normal((c.chunk_size, c.max_action_dim)).astype(np.float32)
    batch = before({**{k: torch.from_numpy(v).permute(2, 0, 1).float() / 255 for k, v in pictures.items()}, "observation.state": torch.from_numpy(state), "task": SENTENCE})
    tokens, mask = batch["observation.language.tokens"][0], batch["observation.language.attention_mask"][0]
    save_file({**pictures, "observation.state": state, "noise": noise, "tokens": tokens.numpy().astype(np.int32), "token_mask": mask.numpy().astype(np.uint8)}, case)
    print(f"{case}: “{SENTENCE}” is {tokens.tolist()}")
    raise SystemExit
given, ours = load_file(case), load_file(sys.argv[3])
before, after = make_pre_post_processors(c, folder)
batch = before({**{k: torch.from_numpy(given[k]).permute(2, 0, 1).float() / 255 for k in c.image_features}, "observation.state": torch.from_numpy(given["observation.state"]), "task": SENTENCE})
with torch.no_grad():
    chunk = after(policy.predict_action_chunk(batch, noise=torch.from_numpy(given["noise"])[None]))[0].numpy()
print(f"{sum(p.numel() for p in policy.parameters()) / 1e6:.2f} M parameters; chunk {chunk.shape}; LeRobot and the page differ by at most {np.abs(chunk - ours['action']).max():.2e} joint units, the values span {chunk.min():.1f} to {chunk.max():.1f}")
