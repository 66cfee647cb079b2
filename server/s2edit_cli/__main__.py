"""`python -m s2edit_cli`: the same as `s2edit`."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
