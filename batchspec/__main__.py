"""`python -m batchspec`: the same program as the console script."""

import sys

from batchspec.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
