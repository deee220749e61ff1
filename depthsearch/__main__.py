"""`python -m depthsearch` is the `depthsearch` command."""

from depthsearch.cli.main import main

main()
