"""Users, remote login, extensions and logs of nodes over HTTP."""

from typing import Any

from tests.engine.served import UBUNTU, Answer, Served

EXTENSION = {
    "name": "secure",
    "publisher": "Microsoft.Azure.KeyVault",
    "type": "KeyVaultForLinux",
    "settings": {"a": 1},
    "protectedSettings": {"secret": "s"},
}


def node_path(served: Served, **properties: Any) -> str:
    served.add_pool("p", 1, **properties)
    (node,) = served.nodes_in("idle", pool="p")
    return f"/pools/p/nodes/{node['id']}"


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


def test_a_user_is_added_replaced_and_deleted(served: Served) -> None:
    users = f"{node_path(served)}/users"
    answer = served.request("POST", users, {"name": "ann", "password": "secret", "isAdmin": True})
    assert (answer.status, answer.headers["location"]) == (201, f"{served.endpoint}{users}/ann")
    assert code(served.request("POST", users, {"name": "ANN"})) == (409, "NodeUserExists")
    assert served.request("PUT", f"{users}/ann", {"expiryTime": "2199-01-01T00:00:00Z"}).status == 200
    assert served.request("DELETE", f"{users}/ann").status == 200
    assert code(served.request("DELETE", f"{users}/ann")) == (404, "NodeUserNotFound")
    assert code(served.request("PUT", f"{users}/ann", {})) == (404, "NodeUserNotFound")


def test_a_user_that_cannot_be_is_refused(served: Served) -> None:
    users = f"{node_path(served)}/users"
    for body in ({"name": ""}, {"name": "x" * 21}):
        assert code(served.request("POST", users, body)) == (400, "InvalidPropertyValue")
    assert code(served.request("POST", users, {"password": "x"})) == (400, "MissingRequiredProperty")


def test_remote_login_settings_name_a_port_of_this_machine(served: Served) -> None:
    found = served.request("GET", f"{node_path(served)}/remoteloginsettings").json
    assert (found["remoteLoginIPAddress"], found["remoteLoginPort"]) == ("127.0.0.1", 50000)


def test_remote_desktop_is_for_cloud_services_of_old_versions(served: Served) -> None:
    path = f"{node_path(served)}/rdp"
    assert code(served.request("GET", path)) == (404, "ResourceNotFound")
    assert code(served.request("GET", path, version="2024-02-01.19.0")) == (409, "OperationNotValidOnPool")
    body = {"id": "w", "vmSize": "small", "cloudServiceConfiguration": {"osFamily": "4"}, "targetDedicatedNodes": 1}
    assert served.request("POST", "/pools", body, version="2024-02-01.19.0").status == 201
    (node,) = served.nodes_in("unusable", pool="w")
    answer = served.request("GET", f"/pools/w/nodes/{node['id']}/rdp", version="2024-02-01.19.0")
    assert (answer.status, answer.content[:12]) == (200, b"full address")


def test_extensions_are_listed_as_provisioned(served: Served) -> None:
    path = f"{node_path(served, virtualMachineConfiguration={**UBUNTU, 'extensions': [EXTENSION]})}/extensions"
    (listed,) = served.request("GET", path).json["value"]
    found = served.request("GET", f"{path}/secure").json
    assert {**found, "odata.metadata": ""} == {**listed, "odata.metadata": ""}
    assert (listed["provisioningState"], "protectedSettings" in listed["vmExtension"]) == ("Succeeded", False)
    assert code(served.request("GET", f"{path}/other")) == (404, "ResourceNotFound")


def test_logs_are_said_to_be_uploaded_below_the_node(served: Served) -> None:
    path = node_path(served)
    body = {"containerUrl": "http://127.0.0.1:9/none?sig=x", "startTime": "2026-01-01T00:00:00Z"}
    answer = served.request("POST", f"{path}/uploadbatchservicelogs", body)
    assert (answer.status, answer.json["numberOfFilesUploaded"]) == (200, 1)
    assert answer.json["virtualDirectoryName"].startswith(f"p/{path.rpartition('/')[2]}/")
    backwards = {**body, "endTime": "2025-01-01T00:00:00Z"}
    assert code(served.request("POST", f"{path}/uploadbatchservicelogs", backwards)) == (400, "InvalidPropertyValue")
