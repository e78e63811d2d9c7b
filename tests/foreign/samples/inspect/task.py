"""The task behind the logs beside it: three questions, a scorer that looks for one word."""

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, system_message

QUESTIONS = {
    "france": ("What is the capital of France? Answer in one word.", "Paris"),
    "water": ("Which two elements is water made of?", "hydrogen"),
    "sum": ("What is 17 times 23?", "391"),
}


@task
def capitals() -> Task:
    """Asks three questions."""
    return Task(
        dataset=[Sample(id=id_, input=ask, target=want) for id_, (ask, want) in QUESTIONS.items()],
        solver=[system_message("You answer briefly."), generate()],
        scorer=includes(),
    )
