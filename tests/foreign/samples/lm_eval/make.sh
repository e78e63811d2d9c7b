#!/bin/sh
# Makes the three logs of this folder anew: sh make.sh BASE_URL, e.g. http://127.0.0.1:8791
# with `lm-eval` 0.4.13 on the PATH and the server of ORIGIN.md behind BASE_URL.
set -eu
cd "$(dirname "$0")"
export HF_DATASETS_OFFLINE=1 HF_HUB_OFFLINE=1 OPENAI_API_KEY=none
chat="model=smollm2-135m-instruct,base_url=$1/v1/chat/completions,num_concurrent=1,max_retries=1"
run() {
    output=$1
    shift
    rm -rf "$output"
    lm-eval run --include_path tasks --log_samples --output_path "$output/out.json" "$@"
}
run full --model local-chat-completions --model_args "$chat" --apply_chat_template \
    --tasks abv_capitals,abv_calls --system_instruction "$(cat system.txt)"
run limited --model local-chat-completions --model_args "$chat" --apply_chat_template \
    --tasks abv_capitals --limit 2
run choice --model gguf --model_args "base_url=$1" --tasks abv_choice
