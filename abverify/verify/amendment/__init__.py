"""The amendment law: what a change of a contract means, decided and never guessed."""
