#!/usr/bin/env bash
# The verdict on four families: instances, samples, three policies, and their evaluation beside
# three of SCIP's rules. Interrupted, it goes on where it stopped. Hours on two cores; policies
# that lie here already are kept: remove them to train again.
#
#     experiments/verdict/run.sh [generate|collect|train|evaluate]...
set -euo pipefail
cd "$(dirname "$0")/../.."

MILPLIB=${MILPLIB:-.venv/bin/milplib}
FAMILIES=${FAMILIES:-CA-very-easy GISP-milplib-easy MVC-milplib-easy OTS-milplib-easy}
DATA=${DATA:-data/verdict}
HERE=experiments/verdict
WORKERS=${WORKERS:-2}
DEVICE=${DEVICE:-auto}
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

generate() {
    for family in $FAMILIES; do
        [[ -d $DATA/$family/train ]] ||
            "$MILPLIB" generate "$family" --split train --count 40 --seed 0 --out "$DATA/$family"
        [[ -d $DATA/$family/test ]] ||
            "$MILPLIB" generate "$family" --split test --count 10 --seed 0 --out "$DATA/$family"
    done
}

collect() {
    for family in $FAMILIES; do
        "$MILPLIB" collect "$DATA/$family" --out "$DATA/$family.samples" --workers "$WORKERS" \
            --samples-per-instance 12 --expert-probability 0.2 --blocks khalil pseudocost --seed 0
    done
}

train() {
    local model samples=()
    for family in $FAMILIES; do samples+=("$DATA/$family.samples"); done
    for model in linear gbdt gcnn; do
        [[ -f $HERE/$model.safetensors ]] && continue
        case $model in
        gcnn) "$MILPLIB" train "${samples[@]}" --out "$DATA/$model.safetensors" --seed 0 \
            --batches-per-epoch 75 --patience 6 --stop-after 12 --epochs 120 --device "$DEVICE" ;;
        *) "$MILPLIB" train "${samples[@]}" --out "$DATA/$model.safetensors" --seed 0 \
            --model "$model" --blocks khalil pseudocost ;;
        esac
        cp "$DATA/$model.safetensors" "$HERE/"
    done
}

evaluate() {
    local folders=()
    for family in $FAMILIES; do folders+=("$DATA/$family"); done
    "$MILPLIB" evaluate "${folders[@]}" --policy "$HERE/gcnn.safetensors" \
        "$HERE/linear.safetensors" "$HERE/gbdt.safetensors" pscost random --baseline relpscost \
        --seeds 3 --time-limit 60 --workers "$WORKERS" --out "$HERE/results"
}

for stage in "${@:-generate collect train evaluate}"; do
    for step in $stage; do "$step"; done
done
