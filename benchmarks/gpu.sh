#!/bin/bash
# What a GPU brings, in under eight minutes: `bash benchmarks/gpu.sh [FOLDER]` on a machine with an NVIDIA card and its
# compiler (nvcc). It builds llama-cpp-python with CUDA for this card alone and, beside that, a model of the shape of
# Qwen2.5-VL 3B with random weights; then it loads all layers onto the card, the pictures too, and prints tokens a
# second against the processor. Everything lies in FOLDER (build/gpu), the installation of before is left alone.
set -euo pipefail
folder=${1:-build/gpu}
base=${PYTHON:-.venv/bin/python}
for program in nvidia-smi nvcc; do
    command -v "$program" >/dev/null || { echo "there is no $program: this needs an NVIDIA card and the CUDA toolkit" >&2; exit 1; }
done
nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv
mkdir -p "$folder"
version=$("$base" -c 'from importlib.metadata import version; print(version("llama-cpp-python"))')

# the shape is built by the installed packages while the compiler is at work
"$base" -c "
import sys
from pathlib import Path
from benchmarks.speed import build
build(Path(sys.argv[1]), '3b', 'Q4_K_M')" "$folder" >"$folder/shape.log" 2>&1 &
shape=$!
CMAKE_ARGS="-DGGML_CUDA=on -DCMAKE_CUDA_ARCHITECTURES=native -DGGML_CUDA_FA_ALL_QUANTS=off" \
    CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) \
    timeout 300 "$base" -m pip install --quiet --no-deps --no-cache-dir --no-binary llama-cpp-python \
    --target "$folder/cuda" "llama-cpp-python==$version" >"$folder/build.log" 2>&1 \
    || { echo "the build failed or took over five minutes: $folder/build.log" >&2; kill "$shape"; exit 1; }
wait "$shape" || { echo "the shape could not be built: $folder/shape.log" >&2; exit 1; }
PYTHONPATH="$folder/cuda:$PWD${PYTHONPATH:+:$PYTHONPATH}" timeout 150 \
    "$base" -m benchmarks speed --shape 3b --gpu-layers 99 --keep "$folder" | tee "$folder/speed.md"
