"""``python -m analysis_lib``: the same as ``shopbook``."""

import sys

from analysis_lib.cli import main

if __name__ == "__main__":
    sys.exit(main())
