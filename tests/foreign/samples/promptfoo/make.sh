#!/bin/sh
# Makes the logs of this folder anew: sh make.sh BASE_URL CRAMPED_URL, with promptfoo 0.123 on the
# PATH. CRAMPED_URL is the same server with a context too small for any prompt: it answers an error.
set -eu
cd "$(dirname "$0")"
PROMPTFOO_CONFIG_DIR=$(mktemp -d)
export PROMPTFOO_CONFIG_DIR BASE_URL="$1" CRAMPED_URL="$2" OPENAI_API_KEY=none
export PROMPTFOO_DISABLE_TELEMETRY=1 PROMPTFOO_DISABLE_UPDATE=1 PROMPTFOO_DISABLE_REMOTE_GENERATION=1
run() { # promptfoo exits with 100 when a test fails, which is what these samples are for
    config=$1 output=$2
    shift 2
    promptfoo eval -c "$config" --no-cache --no-share --no-table --no-progress-bar -j 1 \
        -o "$output" "$@" || [ $? = 100 ]
}
run promptfooconfig.yaml full.json
run errored.yaml errored.json
run promptfooconfig.yaml filtered.json --filter-first-n 2
run promptfooconfig.yaml repeated.json --filter-first-n 1 --repeat 2
rm -rf "$PROMPTFOO_CONFIG_DIR"
