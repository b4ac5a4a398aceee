"""Certificates over HTTP, as api-versions until 2024-07-01.20.0 have them."""

from typing import Any

import pytest

from tests.engine.served import VERSION, Served

OLD = "2024-02-01.19.0"
BODY = {"thumbprintAlgorithm": "sha1", "thumbprint": "0123ABC", "data": "####", "certificateFormat": "cer"}
PATH = "/certificates(thumbprintAlgorithm=sha1,thumbprint=0123abc)"


def add(served: Served, **change: Any) -> Any:
    return served.request("POST", "/certificates", {**BODY, **change}, version=OLD)


def test_a_certificate_is_added_listed_and_deleted(served: Served) -> None:
    answer = add(served)
    assert (answer.status, answer.headers["location"]) == (201, f"{served.endpoint}{PATH}")
    found = served.request("GET", PATH, version=OLD).json
    assert found.pop("stateTransitionTime")
    assert found == {
        "odata.metadata": f"{served.endpoint}/$metadata#certificates/@Element",
        "thumbprint": "0123abc",
        "thumbprintAlgorithm": "sha1",
        "url": f"{served.endpoint}{PATH}",
        "state": "active",
        "publicData": "####",
    }
    listed = served.request("GET", "/certificates", query="$filter=state%20eq%20%27active%27", version=OLD).json
    assert [item["thumbprint"] for item in listed["value"]] == ["0123abc"]
    assert add(served).code == "CertificateExists"
    assert served.request("DELETE", PATH, version=OLD).status == 202
    assert served.request("GET", PATH, version=OLD).code == "CertificateNotFound"


def test_a_certificate_in_use_is_not_deleted_and_that_can_be_taken_back(served: Served) -> None:
    add(served)
    pool = {
        "id": "p",
        "vmSize": "small",
        "cloudServiceConfiguration": {"osFamily": "4"},
        "certificateReferences": [{"thumbprint": "0123abc", "thumbprintAlgorithm": "sha1"}],
    }
    assert served.request("POST", "/pools", pool, version=OLD).status == 201
    assert served.request("DELETE", PATH, version=OLD).status == 202
    found = served.request("GET", PATH, version=OLD).json
    error = found["deleteCertificateError"]
    assert (found["state"], found["previousState"], error["code"], error["values"]) == (
        "deletefailed",
        "active",
        "PoolsReferencingCertificate",
        [{"name": "Pools", "value": "p"}],
    )
    assert served.request("POST", f"{PATH}/canceldelete", version=OLD).status == 204
    found = served.request("GET", PATH, version=OLD).json
    assert (found["state"], "deleteCertificateError" in found) == ("active", False)
    assert served.request("POST", f"{PATH}/canceldelete", version=OLD).code == "CertificateStateActive"


@pytest.mark.parametrize("change", [{"thumbprintAlgorithm": "md5"}, {"thumbprint": "a/b"}])
def test_a_certificate_that_cannot_be_is_refused(served: Served, change: dict[str, str]) -> None:
    answer = add(served, **change)
    assert (answer.status, answer.code) == (400, "InvalidPropertyValue")


def test_newer_versions_have_no_certificates(served: Served) -> None:
    assert served.request("GET", "/certificates", version=VERSION).code == "ResourceNotFound"
