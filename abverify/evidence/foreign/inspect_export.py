"""A bundle as a log that Inspect AI reads: for its viewer, and for whoever works with its logs.

It is a view and no evidence: what Inspect has no place for stands in the metadata.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from abverify._version import __version__
from abverify.evidence.scores import compute_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abverify.evidence.bundle import Bundle
    from abverify.evidence.rows import TurnRow
    from abverify.evidence.trials import TrialResult, WholeTrial

    Key = tuple[str, int]

FORMAT = 2
_SCORER = "oracle"
_STOPPED = {"stop": "stop", "length": "max_tokens", "time": "unknown", "context": "model_length"}


def inspect_log(bundle: Bundle, texts: Mapping[Key, WholeTrial]) -> dict[str, Any]:
    """The log as plain JSON data, in the format of Inspect's `.json` logs.

    A trial is a sample, its declared seed an epoch, its outcome the grade of a scorer called
    `oracle`; a trial that is no measurement is a sample that broke.
    """
    manifest, values = bundle.manifest, bundle.lock.values
    epochs = {seed: number for number, seed in enumerate(bundle.seeds, 1)}
    model = str(values.get("model.name") or "unknown")
    trials = [bundle.trials[key] for key in sorted(bundle.trials)]
    whole = bool(trials) and all(trial.measured for trial in trials)
    fixtures = sorted({trial.trial.fixture for trial in trials})
    return {
        "version": FORMAT,
        "status": "success" if whole else "error",
        "eval": {
            "eval_id": bundle.sha256[:22],
            "run_id": manifest.run[:22],
            "created": _moment(manifest.started_at),
            "task": manifest.run,
            "task_id": bundle.sha256[:22],
            "task_version": 0,
            "task_args": {},
            "dataset": {
                "name": str(values.get("corpus.sha256") or "unknown"),
                "samples": len(fixtures),
                "sample_ids": fixtures,
                "shuffled": False,
            },
            "model": model,
            "model_generate_config": _generation(values),
            "model_args": {},
            "config": {"epochs": max(1, len(epochs))},
            "packages": {"abverify": __version__},
            "metadata": {"abverify": _provenance(bundle)},
        },
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": _results(bundle, trials),
        "stats": {
            "started_at": _moment(manifest.started_at),
            "completed_at": _moment(manifest.finished_at),
            "model_usage": {},
        },
        "samples": [
            _sample(texts[key], bundle.trials[key], epochs.get(key[1], 1), model)
            for key in sorted(bundle.trials)
        ],
    }


def _provenance(bundle: Bundle) -> dict[str, Any]:
    """What Inspect has no place for."""
    return {
        "bundle": bundle.path,
        "manifestSha256": bundle.sha256,
        "identity": bundle.manifest.identity,
        "runLock": dict(bundle.lock.values),
    }


def _moment(timestamp: str) -> str:
    return datetime.fromisoformat(timestamp).isoformat()


def _generation(values: Mapping[str, Any]) -> dict[str, Any]:
    """What Inspect has a place for; decimal texts become its floats."""
    numbers = {
        "temperature": values.get("sampling.temperature"),
        "top_p": values.get("sampling.top_p"),
    }
    whole = {
        "top_k": values.get("sampling.top_k"),
        "max_tokens": values.get("sampling.max_tokens"),
    }
    told = {name: float(text) for name, text in numbers.items() if isinstance(text, str)}
    return {**told, **{name: n for name, n in whole.items() if isinstance(n, int)}}


def _results(bundle: Bundle, trials: list[TrialResult]) -> dict[str, Any]:
    fixtures = {trial.trial.fixture for trial in trials}
    scores = compute_scores(bundle.trials, fixtures=fixtures, seeds=bundle.seeds)
    measured = [trial for trial in trials if trial.measured]
    passed = sum(trial.passed for trial in measured)
    accuracy = passed / len(measured) if measured else 0.0
    metric = {"name": "accuracy", "value": accuracy, "params": {}}
    return {
        "total_samples": scores.planned,
        "completed_samples": len(measured),
        "scores": [
            {
                "name": _SCORER,
                "scorer": _SCORER,
                "params": {},
                "metrics": {"accuracy": metric} if measured else {},
            }
        ],
    }


def _sample(trial: WholeTrial, result: TrialResult, epoch: int, model: str) -> dict[str, Any]:
    name, seed, ended = trial.trial.fixture, trial.trial.seed, trial.ended
    sample: dict[str, Any] = {
        "id": name,
        "epoch": epoch,
        "input": f"fixture {name}",
        "target": "every oracle command passes",
        "messages": [
            {"role": "user", "content": f"fixture {name}", "source": "input"},
            *(message for turn in trial.turns for message in _messages(turn, model)),
        ],
        "output": _output(trial, model),
        "scores": {},
        "metadata": {"seed": seed, "outcome": ended.outcome if ended else "unfinished"},
        "store": {},
        "events": [],
        "model_usage": {},
        "attachments": {},
    }
    reason = ended.reason if ended else "the trial was cut off"
    if result.measured:
        judged = "\n".join(f"{row.command}: {row.output}" for row in trial.last_oracle_round())
        sample["scores"] = {
            _SCORER: {
                "value": "C" if result.passed else "I",
                "answer": reason,
                "explanation": judged,
            }
        }
    else:
        sample["error"] = {"message": reason, "traceback": "", "traceback_ansi": ""}
    return sample


def _messages(turn: TurnRow, model: str) -> list[dict[str, Any]]:
    """The raw completion, and what the tools gave back, as the model saw both."""
    answers = [
        {"role": "user", "content": f"{result.tool}:\n{result.output}"} for result in turn.results
    ]
    said = {"role": "assistant", "content": turn.raw, "source": "generate", "model": model}
    return [said, *answers]


def _output(trial: WholeTrial, model: str) -> dict[str, Any]:
    if not trial.turns:
        return {"model": model, "choices": [], "completion": ""}
    last = trial.turns[-1]
    choice = {
        "message": {"role": "assistant", "content": last.raw, "source": "generate"},
        "stop_reason": _STOPPED[last.finish_reason],
    }
    usage = {
        "input_tokens": last.prompt_tokens,
        "output_tokens": last.completion_tokens,
        "total_tokens": last.prompt_tokens + last.completion_tokens,
    }
    return {"model": model, "choices": [choice], "completion": last.raw, "usage": usage}
