"""`python -m s2edit_cluster`: the bridge, which the daemon starts."""

import sys

from .bridge import main

if __name__ == "__main__":
    sys.exit(main())
