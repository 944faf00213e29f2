#!/bin/sh
# Fine-tunes a SmolVLA checkpoint with LeRobot's own trainer on a dataset saved by the page. Needs a graphics card for the full size.
#
#   pip install "lerobot[smolvla,training]"                    (Python 3.12)
#   training/fine-tune.sh DATASET OUT [BASE [anything else for lerobot-train]]
#
# DATASET  a folder with meta/info.json: "Save into a folder" in Record, or `npm run dataset`
# BASE     lerobot/smolvla_base (then the cameras are renamed to its names), or a checkpoint folder
# The result to drag onto the page is OUT/checkpoints/last/pretrained_model.
set -eu
[ $# -ge 2 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2; }
dataset=$1 out=$2 base=${3:-lerobot/smolvla_base}
shift 2
[ $# -eq 0 ] || shift
[ -f "$dataset/meta/info.json" ] || { echo "$dataset is no LeRobotDataset: it has no meta/info.json"; exit 1; }
[ "$base" != lerobot/smolvla_base ] || set -- '--rename_map={"observation.images.front": "observation.images.camera1", "observation.images.wrist": "observation.images.camera2"}' "$@"
exec lerobot-train --policy.path="$base" --policy.push_to_hub=false --dataset.repo_id="local/$(basename "$dataset")" --dataset.root="$dataset" \
  --output_dir="$out" --batch_size=64 --steps=20000 "$@"
