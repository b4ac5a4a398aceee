"""Counts the words of a text: the tasks of `specs/schedule.yaml`. Prints JSON."""

import json
import re
import sys
from collections import Counter
from pathlib import Path

words = re.findall(r"\w+", Path(sys.argv[1]).read_text(encoding="utf-8").lower())
print(json.dumps({"words": len(words), "most_frequent": Counter(words).most_common(5)}, ensure_ascii=False))
