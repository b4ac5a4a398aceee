"""Whether a process of this machine is still there.

Place in the pipeline: `lock` and `fetch` ask about a client that may have been killed. It never touches a process.
"""

import os
import sys


def is_alive(process: int) -> bool:
    """Whether a process of this id exists; true when that cannot be told."""
    if sys.platform == "win32":  # signal 0 is Ctrl-C there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
