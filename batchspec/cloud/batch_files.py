"""A piece of a text file on a node: size by HEAD, content by range, cut between characters.

Place in the pipeline: `batch` reads stdout.txt and the like with it, for `logs` and for failures. Bytes that are not
UTF-8 become U+FFFD. The service answers a range with 200 and sends no total size, hence the HEAD.
"""

import codecs

from batchspec.cloud.batch_http import Ask, BatchHttp
from batchspec.errors import ServiceRefused
from batchspec.reconcile.ports import TextPart

_GONE = (404, 409)
_NOT_SATISFIABLE = 416
_CONTINUATION = bytes(range(0x80, 0xC0))


async def read_file(
    http: BatchHttp, resource: str, path: str, *, start: int, tail: int | None, limit: int
) -> TextPart | None:
    """At most `limit` bytes from `start`, or of the last `tail`; None when file, task or node is gone."""
    try:
        head = await http.send(http.tries("look at file", resource), Ask("HEAD", path))
        if head.headers.get("ocp-batch-file-isdirectory", "").lower() == "true":
            return None
        size = int(head.headers.get("Content-Length", "0"))
        first = min(start, size) if tail is None else max(0, size - tail)
        count = min(limit, size - first)
        content = await _read(http, resource, path, first, count) if count > 0 else b""
    except ServiceRefused as refused:
        if refused.status in _GONE:
            return None
        raise
    return text_part(content, first, size, skip_partial=tail is not None and first > 0)


async def _read(http: BatchHttp, resource: str, path: str, first: int, count: int) -> bytes:
    span = (("ocp-range", f"bytes={first}-{first + count - 1}"),)
    try:
        # A server that ignores the range sends everything; take what was asked for.
        content = await http.read(http.tries("read file", resource), Ask("GET", path, headers=span))
    except ServiceRefused as refused:
        if refused.status == _NOT_SATISFIABLE:
            return b""
        raise
    return content if len(content) <= count else content[first : first + count]


def text_part(content: bytes, first: int, size: int, *, skip_partial: bool) -> TextPart:
    """The text of `content`, which stood at `first`; a character that is not whole yet is left for the next piece.

    `skip_partial`: `first` may lie inside a character, whose rest is skipped. The piece always gets on: a file that
    really ends in half a character ends in U+FFFD.
    """
    if skip_partial:
        skipped = len(content[:3]) - len(content[:3].lstrip(_CONTINUATION))
        content, first = content[skipped:], first + skipped
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(content)
    pending = len(decoder.getstate()[0])
    if pending and pending == len(content):
        text, pending = text + decoder.decode(b"", final=True), 0
    return TextPart(text=text, start=first, end=first + len(content) - pending, size=size)
