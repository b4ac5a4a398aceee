"""Which texts look like a secret that must not stand in a spec.

Place in the pipeline: `rules` refuses such texts, `document` keeps them out of messages. In: a text. Out: what kind of
secret it seems to hold. Never returns the secret or any part of it.

The patterns are made for few false alarms: an account key is exactly 64 bytes in base64 (86 characters and `==`; Batch
and Storage alike), a SAS is known by its signature, a connection string by its field names. A value that is a template
(`AccountKey={{ vars.key }}`) is no secret.
"""

import re

_VALUE = r"(?!\s*\{\{)[^\s;&\"'{}]"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    ("a connection string", re.compile(rf"(?i)\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)\s*=\s*{_VALUE}+")),
    ("a SAS", re.compile(r"(?i)(?:^|[?&\s\"'])sig=(?:[A-Za-z0-9/+_-]|%[0-9A-F]{2}){20,}")),
    ("an account key", re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==")),
)


def secret_in(text: str) -> str | None:
    """What kind of secret this text seems to hold ("a SAS"), or None."""
    if "=" not in text and "-----BEGIN " not in text:  # no pattern finds anything then, and a spec has many texts
        return None
    return next((kind for kind, pattern in _PATTERNS if pattern.search(text)), None)
