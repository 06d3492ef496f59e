"""`python -m rapport` is the command `rapport`."""

from rapport.cli.main import main

main()
