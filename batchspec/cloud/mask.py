"""Secrets out of text that is meant for people.

Place in the pipeline: every message and request line that leaves `cloud` goes through `masked`. What comes in may hold
the query of a SAS, an account key, an Authorization header; what goes out has `***` in their places.
"""

import re

_SECRETS = re.compile(
    r"(?P<name>\bsig=|\bAccountKey=|\bSharedAccessSignature=|\bSharedKey(?:Lite)?\s+[^:\s]+:|\bBearer\s+)"
    r"(?P<value>[^\s&;,'\"<>]+)",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(?P<name>\bAuthorization['\"]?\s*[:=]\s*['\"]?)(?P<value>[^\r\n'\",]+)", re.IGNORECASE)


def masked(text: str) -> str:
    """`text` with signatures, keys and tokens replaced by `***`."""
    return _SECRETS.sub(r"\g<name>***", _HEADER.sub(r"\g<name>***", text))
