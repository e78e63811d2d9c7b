#!/bin/sh
# Makes the logs of this folder anew: sh make.sh BASE_URL DEAD_URL TOKENIZER_DIR, with a python on
# the PATH that has bfcl-eval. BASE_URL is the server of ORIGIN.md; DEAD_URL lists models but
# answers every completion with an error: the same server with a context too small for any prompt.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
export BFCL_PROJECT_ROOT="$work" REMOTE_OPENAI_API_KEY=none HF_HUB_OFFLINE=1
model=smollm2-135m-instruct-FC
bfcl() {
    REMOTE_OPENAI_BASE_URL="$base" python register.py "$@"
}
generate() {
    bfcl generate --model $model --skip-server-setup --local-model-path "$tokenizer" \
        --num-threads 1 "$@"
}
base=$1 dead=$2 tokenizer=$3
rm -rf full partial errored

generate --test-category live_parallel --result-dir "$work/full/result"
bfcl evaluate --model $model --test-category live_parallel \
    --result-dir "$work/full/result" --score-dir "$work/full/score"

cp partial_ids.json "$work/test_case_ids_to_generate.json"
generate --run-ids --result-dir "$work/partial/result"
bfcl evaluate --model $model --test-category simple_python,irrelevance,multi_turn_base \
    --partial-eval --result-dir "$work/partial/result" --score-dir "$work/partial/score"

base=$dead
cp errored_ids.json "$work/test_case_ids_to_generate.json"
generate --run-ids --result-dir "$work/errored/result"
bfcl evaluate --model $model --test-category live_parallel \
    --partial-eval --result-dir "$work/errored/result" --score-dir "$work/errored/score"

for run in full partial errored; do
    mkdir -p $run
    cp -R "$work/$run/result" "$work/$run/score" $run/
done
rm -rf "$work"
