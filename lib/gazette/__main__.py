"""``python -m gazette`` is the command."""

import sys

from gazette.cli import main

if __name__ == "__main__":
    sys.exit(main())
