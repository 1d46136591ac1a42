#!/usr/bin/env bash
# The whole recipe of ruminate-nano, in stages.
#
#   ./train.sh all          build, data, train, export: about 72 million tokens, see README.md for how long that takes
#   ./train.sh smoke        the same path in three minutes on one core, to see that it works here
#   ./train.sh <stage>...   one or more of: build test gradient data train export evaluate agree tokenizer items yarn
#
# Everything is written to build/. Environment: PYTHON, CXX, CXXFLAGS, THREADS (default: all cores).
set -euo pipefail
cd "$(dirname "$0")"

PYTHON=${PYTHON:-python3}
CXX=${CXX:-g++}
CXXFLAGS=${CXXFLAGS:--O3 -march=native -ffast-math}
THREADS=${THREADS:-$(nproc)}
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 # the trainer's own threads are enough
mkdir -p build

build() {
  # shellcheck disable=SC2086 # flags are words
  $CXX $CXXFLAGS -std=c++20 -Wall -Wextra trainer/main.cpp -o build/trainer -ldnnl -lpthread
}

test() {
  $PYTHON -m unittest discover test
}

# The trainer's loss and gradient against the numpy reference, in f32.
gradient() {
  [ -f build/gradient.bin ] || samples gradient basic 1e5 3
  build/trainer data=build/gradient.bin check=build/check.bin batch_tokens=64 threads=1 precision=f32
  $PYTHON -m nano.reference gradient build/check.bin
}

# samples NAME MIXTURE TOKENS SEED [--long]
samples() {
  $PYTHON -m nano.data samples "build/$1.bin" --mixture "$2" --tokens "$3" --seed "$4" "${@:5}"
}

# train_stage DATA OUT key=value...
train_stage() {
  build/trainer data="build/$1.bin" out="build/$2.weights" threads="$THREADS" "${@:3}"
}

# More tokens than the stages take, so that no sample comes twice.
data() {
  samples first basic 1.2e7 300
  samples second basic 2.0e7 301
  samples third full 1.3e7 901
  samples fourth full 9e6 902
  samples fifth look-ups 1.7e7 903
  samples sixth polish 6.8e6 904
  samples seventh polish 5.2e6 905
}

# A step is about 6,100 tokens. The shipped model's first four stages were timed instead (20, 35, 8.4 and 5.6 minutes); these
# are the steps it had taken then, so that a slower machine trains longer instead of less.
train() {
  train_stage first first steps=1500 decay=0 seed=1
  train_stage second second init=build/first.weights steps=2600 decay=0.6 seed=2
  train_stage third third init=build/second.weights steps=1870 matrix_rate=0.012 other_rate=0.0018 decay=0.65 seed=11
  train_stage fourth fourth init=build/third.weights steps=1250 matrix_rate=0.009 other_rate=0.0014 decay=0.8 seed=12
  train_stage fifth fifth init=build/fourth.weights steps=2700 matrix_rate=0.012 other_rate=0.0018 decay=0.75 seed=21
  train_stage sixth sixth init=build/fifth.weights steps=1050 matrix_rate=0.009 other_rate=0.0014 decay=0.85 seed=22
  train_stage seventh seventh init=build/sixth.weights steps=800 matrix_rate=0.006 other_rate=0.0009 decay=0.95 seed=23
  $PYTHON -m nano.average build/fourth.weights 0.2 build/seventh.weights build/model.weights
}

export_model() {
  $PYTHON -m nano.export build/model.weights build/ruminate-nano-q8_0.gguf --type q8_0
  $PYTHON -m nano.export build/model.weights build/ruminate-nano-f16.gguf --type f16
}

# In native llama.cpp; needs `npm ci` in the repository's root.
evaluate() {
  node check/evaluate.mjs build/ruminate-nano-q8_0.gguf
}

# llama.cpp against the numpy reference: tokenization, logits, greedy choices.
agree() {
  local model=${MODEL:-build/ruminate-nano-f16.gguf}
  node check/agree.mjs "$model" build/answers.json
  $PYTHON -m nano.reference agree "$model" build/answers.json
}

# A new vocabulary, which a new model may use (--merges); the model of record keeps nano/merges.txt.
tokenizer() {
  $PYTHON -m nano.data tokenizer build/merges.txt --seed 1
}

# The evaluation items of bench/model.
items() {
  $PYTHON -m nano.items ../../bench/model/items
}

# The variant for 2,048 tokens that the model card compares with: a short fine-tune with YaRN factor 4.
yarn() {
  samples long full 4e6 777 --long
  train_stage long yarn init=build/model.weights steps=500 yarn=4 batch_tokens=2048 matrix_rate=0.005 \
    other_rate=0.0007 decay=0.8 seed=5
  $PYTHON -m nano.export build/yarn.weights build/ruminate-nano-yarn4-q8_0.gguf --yarn 4
}

all() {
  build
  data
  train
  export_model
}

# Too short to learn arithmetic; it shows that every part works and that the loss falls.
smoke() {
  build
  tokenizer
  samples smoke full 1e6 1
  build/trainer data=build/smoke.bin out=build/smoke.weights threads=1 minutes="${SMOKE_MINUTES:-2.5}" decay=0.5
  $PYTHON -m nano.export build/smoke.weights build/smoke-f16.gguf --type f16
  MODEL=build/smoke-f16.gguf agree
}

[ $# -gt 0 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
for stage in "$@"; do
  case $stage in
    export) export_model ;; # `export` is a word of the shell
    all | smoke | build | test | gradient | data | train | evaluate | agree | tokenizer | items | yarn) "$stage" ;;
    *) echo "Unknown stage $stage; ./train.sh lists them" >&2; exit 2 ;;
  esac
done
