"""A checkpoint of the page as a folder that LeRobot itself loads and goes on training, without the Hub.

    python training/lerobot_folder.py public/policies/pocket OUT

LeRobot looks the backbone up by `vlm_model_name`: its `config.json`, its tokenizer, its processor. A small backbone of our own is
on no Hub, so they are laid beside the weights in OUT/backbone and the checkpoint is made to point there. The weights are
copied, not changed. Nothing here trains; it writes files.
"""
from __future__ import annotations

import json
import pathlib
import shutil
import sys

# LeRobot asks the tokenizer for these, also where a policy uses no image special tokens.
IMAGE_TOKENS = {"image_token": "<image>", "fake_image_token": "<fake_token_around_image>", "global_image_token": "<global-img>", "end_of_utterance_token": "<end_of_utterance>"}


def write(path: pathlib.Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n")


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    source, out = (pathlib.Path(a) for a in sys.argv[1:])
    shutil.copytree(source, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("tokenizer", "card.json", "vlm_config.json", "special_tokens.json", "train_config.json"))
    backbone = (out / "backbone").resolve()
    backbone.mkdir(exist_ok=True)
    vlm = json.loads((source / "vlm_config.json").read_text())
    tokenizer = json.loads((source / "tokenizer" / "tokenizer.json").read_text())
    first = len(tokenizer["model"]["vocab"])
    spare = range(max(first, 1 + max(a["id"] for a in tokenizer["added_tokens"])), vlm["vocab_size"])
    for token, number in zip(IMAGE_TOKENS.values(), spare):
        tokenizer["added_tokens"].append(dict(id=number, content=token, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True))
    ids = {a["content"]: a["id"] for a in tokenizer["added_tokens"]}
    write(backbone / "tokenizer.json", tokenizer)
    write(backbone / "tokenizer_config.json", {**json.loads((source / "tokenizer" / "tokenizer_config.json").read_text()), "extra_special_tokens": IMAGE_TOKENS})
    write(backbone / "config.json", {**vlm, "image_token_id": ids[IMAGE_TOKENS["image_token"]]})
    side = vlm["vision_config"]["image_size"]
    pictures = dict(do_resize=True, size=dict(longest_edge=side), max_image_size=dict(longest_edge=side), do_rescale=True, rescale_factor=1 / 255, do_normalize=True, image_mean=[0.5] * 3, image_std=[0.5] * 3, do_convert_rgb=True, do_pad=True, do_image_splitting=False)
    write(backbone / "preprocessor_config.json", dict(image_processor_type="SmolVLMImageProcessor", processor_class="SmolVLMProcessor", **pictures))
    write(backbone / "video_preprocessor_config.json", dict(video_processor_type="SmolVLMVideoProcessor", processor_class="SmolVLMProcessor", num_frames=1, fps=1, **pictures))
    tokens_per_picture = (side // vlm["vision_config"]["patch_size"] // vlm["scale_factor"]) ** 2
    write(backbone / "processor_config.json", dict(processor_class="SmolVLMProcessor", image_seq_len=tokens_per_picture))

    config = json.loads((out / "config.json").read_text())
    write(out / "config.json", {**config, "vlm_model_name": str(backbone), "device": "cpu", "push_to_hub": False})
    for name in ("policy_preprocessor.json", "policy_postprocessor.json"):
        processor = json.loads((out / name).read_text())
        for step in processor["steps"]:
            if step["registry_name"] == "tokenizer_processor":
                step["config"]["tokenizer_name"] = str(backbone)
                step.pop("artifacts", None)
        write(out / name, processor)
    print(f"{out}: backbone {vlm['vocab_size']} tokens, {tokens_per_picture} a picture")


if __name__ == "__main__":
    main()
