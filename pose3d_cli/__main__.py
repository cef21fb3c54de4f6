"""`python -m pose3d_cli`."""

from __future__ import annotations

from pose3d_cli.cli.app import main

if __name__ == "__main__":
    main()
