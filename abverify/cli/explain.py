"""`abverify explain`: a rule in full."""

from __future__ import annotations

import click

from abverify.cli import completion


@click.command(epilog="Example:\n\n  abverify explain AV301")
@click.argument("rule", required=False, shell_complete=completion.rules)
def command(rule: str | None) -> int:
    """Explain a rule, with a failing and a passing example; without RULE, list them all."""
    from abverify.model.rules import all_rules

    rules = all_rules()
    if rule is None:
        for known in sorted(rules):
            click.echo(f"{known}  {rules[known].title}")
        return 0
    found = rules.get(rule.upper())
    if found is None:
        raise click.UsageError(f"no rule {rule!r}; abverify explain lists them")
    click.echo(f"{found.id}: {found.title}\n\n{found.why}\n")
    click.echo(f"breaks it:  {found.failing}\nkeeps it:   {found.passing}")
    return 0
