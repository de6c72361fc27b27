#!/usr/bin/env bash
# Kills one training run with SIGKILL at random moments and resumes it each time; it must end with the weights of a run that was
# left alone. Usage: tests/sigkill.sh [KILLS] [DEVICE]
set -euo pipefail
cd "$(dirname "$0")/.."
kills=${1:-20}
device=${2:-cpu}
program=${LARP_CLI:-${CARGO_TARGET_DIR:-target}/release/larp-cli}
[ -x "$program" ] || cargo build --release
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
train() {
  "$program" train larp-tiny --run "$1" --device "$device" --resume \
    --set train.tokenizer.steps=300 --set train.generator.steps=300 --set train.tokenizer.batch_size=4 \
    --set train.generator.batch_size=8 --set train.generator.cached_clips=256 --set train.evaluation_clips=4 \
    --set train.sample_clips=1 --set train.checkpoint_every=3 --set train.evaluate_every=40
}
echo "one run left alone"
train "$folder/whole" > /dev/null 2>&1
echo "one run with $kills kills"
done_kills=0
while [ "$done_kills" -lt "$kills" ]; do
  # a process group of its own, so that ffmpeg goes with it
  setsid bash -c "$(declare -f train); program='$program' device='$device' train '$folder/killed'" > "$folder/log" 2>&1 &
  pid=$!
  sleep "$(awk -v seed="$RANDOM" 'BEGIN { srand(seed); print 0.3 + 1.7 * rand() }')"
  if ! kill -0 "$pid" 2> /dev/null; then
    echo "the run ended after $done_kills kills; give it more steps"
    exit 1
  fi
  kill -KILL -- "-$pid"
  wait "$pid" 2> /dev/null || true
  done_kills=$((done_kills + 1))
done
train "$folder/killed" > "$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
for stage in tokenizer generator; do
  a=$(sha256sum < "$folder/whole/checkpoints/$stage/step-00000300/model.safetensors")
  b=$(sha256sum < "$folder/killed/checkpoints/$stage/step-00000300/model.safetensors")
  [ "$a" = "$b" ] || { echo "the weights of the $stage differ"; exit 1; }
done
steps() { sed -E 's/"elapsed_seconds":[^,]*,//; s/"clips_per_second":[^,}]*,?//' "$1/metrics.jsonl" | sort; }
cmp <(steps "$folder/whole") <(steps "$folder/killed") || { echo "the logs differ"; exit 1; }
echo "ok: $done_kills kills, equal weights and logs"
