"""`python -m abverify`."""

from abverify.cli import main

main()
