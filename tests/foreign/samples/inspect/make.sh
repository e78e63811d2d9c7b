#!/bin/sh
# Writes the logs beside this file again; the server of ORIGIN.md must be running.
set -eu
cd "$(dirname "$0")"
export LOCAL_API_KEY=sk-local LOCAL_BASE_URL=http://127.0.0.1:8791/v1
run() {
  name="$1"; shift
  inspect eval task.py --model openai-api/local/smollm2-135m-instruct --temperature 0 --seed 1 \
    --max-tokens 48 --max-connections 1 --display none --no-log-realtime --log-dir "made/$name" "$@"
  mv "made/$name"/* "$name"
}
run full.eval --epochs 2 --log-format eval
run limited.json --limit 1 --log-format json
run token-limit.eval --token-limit 40 --log-format eval
LOCAL_BASE_URL=http://127.0.0.1:9/v1 run failed.eval --max-retries 0 --limit 1 --log-format eval
inspect log dump failed.eval | python ../without_tracebacks.py --whole > failed.json
rm failed.eval
rm -r made
