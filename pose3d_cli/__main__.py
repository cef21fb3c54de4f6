"""`python -m pose3d_cli`."""

from pose3d_cli.cli.app import main

main()
