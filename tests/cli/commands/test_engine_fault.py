"""The words of `batchspec engine fault` as requests to the engine, and its answers as lines."""

from typing import Any

import pytest

from batchspec.cli.commands.engine_fault import Options, lines, request
from batchspec.cli.main import _fault_options
from batchspec.cli.parser import parse
from batchspec.errors import UsageError


def asked(*words: str) -> dict[str, Any]:
    args = parse(["engine", "fault", *words])
    return request(args.words, _fault_options(args))


def body(*words: str) -> Any:
    found = asked(*words)
    assert (found["method"], found["path"]) == ("POST", "/faults")
    return found["body"]


def test_without_words_faults_are_listed() -> None:
    assert asked() == {"method": "GET", "path": "/faults"}


def test_a_status_is_an_answer() -> None:
    assert body("503", "--retry-after", "2", "--on", "create_task", "--next", "3") == {
        "kind": "answer",
        "status": 503,
        "operation": "create_task",
        "next": 3,
        "retryAfter": 2.0,
    }
    assert body("--every", "2", "500", "--after", "--code", "Mine") == {
        "kind": "answer",
        "status": 500,
        "every": 2,
        "when": "after",
        "code": "Mine",
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["drop", "--method", "POST", "--path", "/jobs/*"], {"kind": "drop", "method": "POST", "path": "/jobs/*"}),
        (["delay", "1.5"], {"kind": "delay", "delay": 1.5}),
        (["upload"], {"kind": "upload"}),
        (["download", "BlobNotFound"], {"kind": "download", "code": "BlobNotFound"}),
        (["node-start", "pool"], {"kind": "nodestart", "pool": "pool"}),
    ],
)
def test_each_kind_has_its_words(words: list[str], expected: dict[str, Any]) -> None:
    assert body(*words) == expected


def test_preemption_quotas_and_resets_have_their_own_paths() -> None:
    assert asked("preempt", "p", "--next", "2", "--absent", "0") == {
        "method": "POST",
        "path": "/preempt",
        "body": {"pool": "p", "count": 2, "absent": 0.0},
    }
    assert asked("quota", "pools=1", "active_jobs=2") == {
        "method": "PATCH",
        "path": "/quotas",
        "body": {"pools": 1, "activeJobs": 2},
    }
    assert asked("reset") == {"method": "DELETE", "path": "/faults"}
    assert asked("reset", "4") == {"method": "DELETE", "path": "/faults/4"}


@pytest.mark.parametrize(
    "words",
    [["frob"], ["delay"], ["delay", "soon"], ["503", "x"], ["quota", "pools=x"], ["quota", "x=1"], ["reset", "x"]],
)
def test_what_makes_no_sense_is_a_usage_error(words: list[str]) -> None:
    with pytest.raises(UsageError):
        request(words, Options())


def test_answers_are_lines() -> None:
    fault: Any = {"id": 2, "kind": "answer", "status": 429, "operation": "get_job", "every": 3, "fired": 1}
    quotas: Any = {"pools": 1, "activeJobs": 2, "dedicatedCores": 3, "lowPriorityCores": 4}
    assert lines({"value": [fault], "quotas": quotas, "changedQuotas": True}) == [
        "2: answer 429 on get_job (every 3; happened 1 times)",
        "quotas: pools=1, active_jobs=2, dedicated_cores=3, low_priority_cores=4",
    ]
    assert lines({"value": [], "quotas": quotas, "changedQuotas": False}) == ["no faults"]
    assert lines({"nodes": ["n"]}) == ["preempted n"]
    assert lines({"nodes": []}) == ["there is no Spot node to preempt"]
    assert lines({}) == ["forgotten"]
