"""`python -m s2edit_tray`: the same as `s2edit-tray`."""

import sys

from .main import main

sys.exit(main())
