from batchspec.spec.checks.tree import root
from batchspec.spec.checks.walk import models
from batchspec.spec.document import dotted

USER = {"username": "u"}
START = {"command": "x", "user_identity": USER, "resource_files": [{"upload": "u"}, "{{ x }}"]}


def found(data: object) -> list[tuple[str, str]]:
    return [(name, dotted(part.at)) for name, part in models(root(data))]


def test_a_model_is_found_wherever_it_stands_outer_ones_first() -> None:
    described = {"pool_info": {"auto_pool_specification": {"pool": {"start_task": START}}}}
    assert found({"pool": {"start_task": START}, "job": described}) == [
        ("BatchPoolCreateOptions", "pool"),
        ("BatchStartTask", "pool.start_task"),
        ("UserIdentity", "pool.start_task.user_identity"),
        ("ResourceFile", "pool.start_task.resource_files[0]"),
        ("BatchJobCreateOptions", "job"),
        ("BatchPoolInfo", "job.pool_info"),
        ("BatchAutoPoolSpecification", "job.pool_info.auto_pool_specification"),
        ("BatchPoolSpecification", "job.pool_info.auto_pool_specification.pool"),
        ("BatchStartTask", "job.pool_info.auto_pool_specification.pool.start_task"),
        ("UserIdentity", "job.pool_info.auto_pool_specification.pool.start_task.user_identity"),
        ("ResourceFile", "job.pool_info.auto_pool_specification.pool.start_task.resource_files[0]"),
    ]


def test_our_own_words_are_models_too_under_keys_and_in_lists() -> None:
    data = {"containers": {"a": {"keep": True}, "b": None}, "downloads": [{"container": "a"}, 5]}
    assert found(data) == [("container", "containers.a"), ("download", "downloads[0]")]


def test_what_has_the_wrong_type_is_passed_over() -> None:
    assert found({"pool": [], "tasks": {"id": "x"}, "job": "{{ x }}", "unknown": {"a": {}}}) == []


def test_a_list_that_may_be_a_mapping_has_models_only_as_a_list() -> None:
    assert found({"tasks": [{"environment_settings": {"A": "b"}}]}) == [("BatchTaskCreateOptions", "tasks[0]")]
    assert found({"tasks": [{"environment_settings": [{"name": "A"}]}]}) == [
        ("BatchTaskCreateOptions", "tasks[0]"),
        ("EnvironmentSetting", "tasks[0].environment_settings[0]"),
    ]
