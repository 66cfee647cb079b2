"""`python -m s2edit_tray`: the same as `s2edit-tray`."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
