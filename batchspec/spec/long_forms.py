"""The mapping to write where a person wrote one text or a list: `{upload: texts}` for `texts`.

Place in the pipeline: `instead` asks. In: what the schema knows at the place, the value. Out: YAML in one line, or
nothing. Pure; never shows a text that looks like a secret.
"""

import json
import re
from collections.abc import Collection, Mapping

from batchspec.spec.leaks import secret_in
from batchspec.spec.scalars import scalar_from_plain

_LONGEST_SHOWN = 40
_PLAIN = re.compile(r"[A-Za-z0-9_$./][\w $./+-]*")
_SETTING = re.compile(r"([A-Za-z_]\w*)=(.*)")

# By words that only the mapping at the place knows: what it looks like for one text.
_OF_A_TEXT: Mapping[tuple[str, ...], str] = {
    ("vm_size", "existing"): "{{id: {0}, existing: true}} for one that is there",
    ("job_manager_task", "existing"): "{{id: {0}, existing: true}} for one that is there",
    ("for_each", "command"): "{{id: ..., command: {0}}}",
    ("matrix", "zip"): "{{upload: {0}}}, or another of upload, container, items, rows, range, matrix, zip",
    ("upload", "http_url"): "{{upload: {0}}}",
    ("container", "files"): "{{container: ..., files: {0}}}",
    ("container", "to"): "{{container: {0}, to: ...}}",
    ("keep", "sas"): "{{name: {0}}}",
    ("recurrence_interval", "start_window"): "{{recurrence_interval: {0}}}",
    ("command", "resource_files"): "{{command: {0}}}",
}


def of_text(text: str, known: Collection[str]) -> str:
    """The mapping for one text, where these words are known."""
    shown = quoted(text)
    if {"publisher", "offer"} <= set(known):
        return _image(text)
    if set(known) == {"name", "value"} and (setting := _SETTING.fullmatch(text)):
        return f"{{name: {setting[1]}, value: {quoted(setting[2])}}}"
    form = next((form for words, form in _OF_A_TEXT.items() if set(words) <= set(known)), "")
    return form.format(shown) if form else ""


def of_list(items: list[object], word: str, known: Collection[str]) -> str:
    """The mapping for a list of texts at a word, where these are known."""
    texts = [quoted(one) for one in items if isinstance(one, str)]
    if not texts or len(texts) < len(items) or "..." in texts:
        return ""
    if word == "containers":
        return f"{{{', '.join(f'{one}: {{}}' for one in texts)}}}"
    sole = "task_ids" if "task_ids" in known else "after_success" if "after_success" in known else ""
    return f"{{{sole}: [{', '.join(texts)}]}}" if sole else ""


def quoted(text: str) -> str:
    """A text as it is written in YAML; `...` for one that is long or secret."""
    if len(text) > _LONGEST_SHOWN or not text.isprintable() or secret_in(text):
        return "..."
    plain = _PLAIN.fullmatch(text) and isinstance(scalar_from_plain(text), str)
    return text if plain else json.dumps(text, ensure_ascii=False)


def _image(text: str) -> str:
    parts = text.split(":")
    if len(parts) not in (3, 4) or not all(parts) or "..." in map(quoted, parts):
        return ""
    words = zip(("publisher", "offer", "sku", "version"), parts, strict=False)
    return f"{{{', '.join(f'{word}: {quoted(part)}' for word, part in words)}}}"
