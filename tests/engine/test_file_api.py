"""Files of tasks and nodes over HTTP, and that no path leaves its folder."""

import shlex

import pytest

from tests.engine.served import Served

FILES = "/jobs/job/tasks/t/files"


def run(served: Served, script: str) -> None:
    served.add_pool()
    served.add_job()
    served.add_task("t", f"/bin/sh -c {shlex.quote(script)}")
    served.completed("t")


def names(served: Served, query: str = "", path: str = FILES) -> list[str]:
    return [item["name"] for item in served.request("GET", path, query=query).json["value"]]


def test_files_are_listed_flat_or_recursively(served: Served) -> None:
    run(served, "mkdir -p a/b; echo x > a/b/c.txt")
    assert names(served) == ["stderr.txt", "stdout.txt", "wd"]
    assert names(served, "recursive=true") == ["stderr.txt", "stdout.txt", "wd", "wd/a", "wd/a/b", "wd/a/b/c.txt"]
    assert names(served, "recursive=true&$filter=startswith(name,%27wd/a/b/%27)") == ["wd/a/b/c.txt"]
    page = served.request("GET", FILES, query="recursive=true&maxresults=2").json
    assert ([item["name"] for item in page["value"]], "odata.nextLink" in page) == (["stderr.txt", "stdout.txt"], True)


def test_an_item_of_a_listing_has_the_recorded_form(served: Served) -> None:
    run(served, "printf 'hello'")
    items = {item["name"]: item for item in served.request("GET", FILES).json["value"]}
    properties = items["stdout.txt"].pop("properties")
    assert items["stdout.txt"] == {
        "name": "stdout.txt",
        "url": f"{served.endpoint}{FILES}/stdout.txt",
        "isDirectory": False,
    }
    assert (properties["contentLength"], properties["contentType"], properties["fileMode"][:5]) == (
        "5",
        "text/plain",
        "0o100",
    )
    assert items["wd"] == {"name": "wd", "url": f"{served.endpoint}{FILES}/wd", "isDirectory": True}


def test_properties_and_content_come_with_the_services_headers(served: Served) -> None:
    run(served, "printf 'hello'")
    head, get = served.request("HEAD", f"{FILES}/stdout.txt"), served.request("GET", f"{FILES}/stdout.txt")
    assert (head.status, head.content, get.content) == (200, b"", b"hello")
    for answer in (head, get):
        assert (answer.headers["content-length"], answer.headers["ocp-batch-file-isdirectory"]) == ("5", "False")
        assert "http%3A%2F%2F127.0.0.1" in answer.headers["ocp-batch-file-url"]
        assert answer.headers["content-type"].startswith("text/plain")
        assert {"ocp-creation-time", "last-modified", "ocp-batch-file-mode"} <= answer.headers.keys()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("bytes=0-1", b"he"), ("bytes=3-", b"lo"), ("bytes=3-100", b"lo"), ("bytes=-2", b"lo")],
)
def test_a_range_is_answered_with_200(served: Served, text: str, expected: bytes) -> None:
    run(served, "printf 'hello'")
    answer = served.request("GET", f"{FILES}/stdout.txt", headers={"ocp-range": text})
    assert (answer.status, answer.content) == (200, expected)


def test_a_range_behind_the_end_is_416(served: Served) -> None:
    run(served, "printf 'hello'")
    answer = served.request("GET", f"{FILES}/stdout.txt", headers={"ocp-range": "bytes=5-"})
    assert (answer.status, answer.code) == (416, "InvalidRange")


def test_all_of_an_empty_file_is_a_range(served: Served) -> None:
    run(served, "true")
    answer = served.request("GET", f"{FILES}/stdout.txt", headers={"ocp-range": "bytes=0-"})
    assert (answer.status, answer.content) == (200, b"")


def test_a_name_may_have_a_line_break(served: Served) -> None:
    run(served, "echo x > 'a\nb'")
    assert served.request("GET", f"{FILES}/wd%2Fa%0Ab").content == b"x\n"


@pytest.mark.parametrize("path", ["wd/a%20b/%C3%A9%27%23%3F.txt", "wd%2Fa%20b%2F%C3%A9%27%23%3F.txt"])
def test_any_name_can_be_read_as_one_segment_or_several(served: Served, path: str) -> None:
    run(served, "mkdir 'a b'; echo x > \"a b/é'#?.txt\"")
    assert served.request("GET", f"{FILES}/{path}").content == b"x\n"


@pytest.mark.parametrize(
    "path",
    [
        "..%2Fother",
        "wd%2F..%2F..%2F..%2F..%2F..%2F..%2F..%2Fetc%2Fpasswd",
        "%2Fetc%2Fpasswd",
        "wd/outside",
        "wd/outside-folder/passwd",
        "wd/circle",
        "wd/pipe",
        "wd/none",
        "wd%00",
        "..",
        ".",
    ],
)
def test_no_path_leaves_the_folder(served: Served, path: str) -> None:
    run(served, "ln -s /etc/passwd outside; ln -s /etc outside-folder; ln -s circle circle; mkfifo pipe")
    for method in ("GET", "DELETE"):
        if (method, path) not in (("DELETE", "wd/outside"), ("DELETE", "wd/circle"), ("DELETE", "wd/pipe")):
            assert served.request(method, f"{FILES}/{path}").status == 404, method
    assert {"wd/outside", "wd/outside-folder"} <= set(names(served, "recursive=true"))


def test_deleting_a_link_leaves_what_it_points_to(served: Served) -> None:
    run(served, "echo x > real; ln -s real link; ln -s /etc outside")
    for name in ("link", "outside"):
        assert served.request("DELETE", f"{FILES}/wd/{name}", query="recursive=true").status == 200
    assert names(served, "recursive=true") == ["stderr.txt", "stdout.txt", "wd", "wd/real"]


def test_a_folder_is_deleted_only_recursively_unless_it_is_empty(served: Served) -> None:
    run(served, "mkdir -p full/x empty")
    assert served.request("DELETE", f"{FILES}/wd/full").code == "OperationInvalidForCurrentState"
    assert served.request("DELETE", f"{FILES}/wd/empty").status == 200
    assert served.request("DELETE", f"{FILES}/wd/full", query="recursive=true").status == 200
    assert names(served, "recursive=true") == ["stderr.txt", "stdout.txt", "wd"]


def test_files_of_a_task_that_never_ran_are_unavailable(served: Served) -> None:
    served.add_job()
    served.add_task("t", "true")
    answer = served.request("GET", FILES)
    assert (answer.status, answer.code) == (409, "TaskFilesUnavailable")


def test_files_of_a_task_whose_node_is_gone_are_unavailable(served: Served) -> None:
    run(served, "true")
    served.request("POST", "/pools/pool/resize", {"targetDedicatedNodes": 0})
    assert served.request("GET", f"{FILES}/stdout.txt").code == "TaskFilesUnavailable"


def test_the_tree_of_a_node_is_the_documented_one(served: Served) -> None:
    run(served, "true")
    (node,) = served.nodes()
    path = f"/pools/pool/nodes/{node['id']}/files"
    assert names(served, path=path) == ["applications", "fsmounts", "shared", "startup", "volatile", "workitems"]
    assert "workitems/job/job-1/t/stdout.txt" in names(served, "recursive=true", path)
    assert served.request("GET", f"{path}/workitems%2Fjob%2Fjob-1%2Ft%2Fstdout.txt").status == 200
    assert served.request("GET", f"{path}/..%2F..%2F..%2Fengine.sqlite3").status == 404
