"""Where the makers of other Batch runners fell, and the tests which show that batchspec does not.

`PITFALLS` has the order in which the design notes on peers tell these facts. A `mark` finds the fact there: issues, or
words that stand in no other fact. What it says here is the pitfall in our own words, or how batchspec avoids it. A
test is named as pytest names it, with `[...]` where one of its parameters matters.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pitfall:
    """One fact, and the tests that prove what batchspec makes of it."""

    mark: str
    what: str
    tests: tuple[str, ...]


def _of(mark: str, what: str, *tests: str) -> Pitfall:
    return Pitfall(mark, what, tuple(f"tests/{test}" for test in tests))


SUBMISSION = (
    _of(
        "100 MB add",
        "A request that adds tasks holds 100 of them, and less than a megabyte.",
        "reconcile/test_step_tasks.py::test_tasks_are_added_in_requests_of_at_most_100_and_700_kb",
        "cloud/test_batch.py::test_tasks_above_a_megabyte_are_never_sent_in_one_request",
        "render/test_tasks.py::test_a_task_too_large_for_a_request_is_told",
    ),
    _of(
        "halves RequestBodyTooLarge",
        "A request that is too large all the same is sent in halves.",
        "cloud/test_batch.py::test_a_request_that_is_too_large_is_halved_down_to_the_one_task_that_is",
    ),
    _of(
        "azure-sdk-for-python#47367",
        "One call of the SDK does not halve: batchspec uses none, but sends plain bodies and halves them.",
        "pitfalls/test_sdk.py::test_tasks_are_added_by_no_call_of_the_sdk",
        "cloud/test_batch.py::test_a_request_that_is_too_large_is_halved_down_to_the_one_task_that_is",
    ),
    _of(
        "partly done",
        "A request to add that timed out may have added some: it is repeated with the same ids, and those are ours.",
        "cloud/test_batch.py::test_a_task_that_exists_is_told_and_one_that_our_lost_request_added_is_ours",
        "reconcile/test_step_tasks.py::test_a_task_that_our_own_lost_request_added_is_not_added_twice",
    ),
    _of(
        "SDK renamed",
        "azure-batch 15 renamed much: our names are held to it, and the engine knows the older ones.",
        "render/test_wire.py::test_every_name_on_the_wire_is_the_one_of_the_sdk",
        "clients/test_old_sdk.py::test_a_program_for_an_older_sdk_runs_unchanged",
    ),
    _of(
        "pin it",
        "The SDK is held to its major version.",
        "pitfalls/test_sdk.py::test_the_sdk_is_held_to_the_major_version_that_it_is_tested_with",
        "test_repository.py::test_demo_and_tests_are_locked_to_the_same_versions",
    ),
    _of(
        "BatchExplorer#30",
        "A list of resource files has 32,768 characters at most: told offline, with the way out.",
        "render/test_shorthand.py::test_single_files_that_are_too_many_are_a_fault",
        "render/test_shorthand.py::test_the_whole_list_counts",
    ),
    _of(
        "#1286",
        "Thirty-three thousand files can be submitted.",
        "render/test_shorthand.py::test_a_large_upload_is_named_by_its_container[33000-1]",
    ),
    _of(
        "container reference",
        "So many files are named by their container and folder.",
        "render/test_shorthand.py::test_a_large_upload_is_named_by_its_container",
    ),
    _of(
        "shared once per node",
        "What all tasks share is fetched once on each node.",
        "end_to_end/test_job_preparation.py::test_nodes_are_prepared_once_and_tell_at_the_end_what_they_did",
        "end_to_end/test_topwords.py::test_an_edited_task_script_reboots_the_nodes_and_runs_every_task_again",
    ),
    _of(
        "doc/taskFactories.md",
        "A connection that breaks while tasks are added leaves some of them: the next run adds the rest, none twice.",
        "reconcile/test_interruption.py::test_a_run_that_is_repeated_after_an_end_at_any_write_converges",
        "end_to_end/test_faults.py::test_a_killed_client_can_be_run_again",
    ),
    _of(
        "onAllTasksComplete",
        "That a job ends with its tasks is said after the last of them was added.",
        "reconcile/test_apply.py::test_a_job_that_ends_with_its_tasks_is_told_so_after_the_last_was_added",
        "reconcile/test_step_job.py::test_the_end_of_the_job_is_never_sent_with_its_creation",
    ),
    _of(
        "empty job",
        "An empty job that shall end with its tasks ends at once.",
        "engine/test_job_api.py::test_an_empty_job_that_ends_with_its_tasks_ends_at_once",
        "reconcile/test_apply.py::test_a_completed_job_that_must_take_a_task_is_replaced_and_the_plan_says_so",
    ),
)

THROTTLING = (
    _of(
        "nextflow#2688 #2055",
        "Throttling, 408, 5xx and broken connections are tried again, at moments that differ, also while cleaning up.",
        "cloud/test_retry.py::test_throttling_is_waited_out_as_long_as_the_service_asks",
        "cloud/test_retry.py::test_requests_that_were_throttled_together_do_not_come_back_together",
        "cloud/test_retry.py::test_a_broken_connection_is_tried_again_and_that_is_remembered",
        "cloud/test_faults.py::test_only_answers_that_say_later_are_worth_a_retry",
        "cloud/test_batch.py::test_clean_up_waits_out_throttling",
    ),
    _of(
        "ActiveJobAndScheduleQuotaReached #5575",
        "A full quota of jobs is no throttling: told by the plan if it is known, else at once; the next run goes on.",
        "end_to_end/test_preflight.py::test_quotas_that_are_used_up_are_told_before_the_service_refuses",
        "cloud/test_batch.py::test_a_full_quota_of_jobs_is_no_throttling_and_is_told_at_once_with_the_way_out",
        "reconcile/test_step_job.py::test_a_job_that_no_quota_was_left_for_comes_with_the_next_run",
    ),
    _of(
        "active jobs pools",
        "An account has few jobs and pools: the plan compares.",
        "reconcile/test_preflight_account.py::test_a_job_counts_once_against_the_quota",
        "reconcile/test_preflight_account.py::test_a_pool_that_is_made_counts_against_the_quota",
    ),
    _of(
        "0 cores",
        "A new account may have no cores at all: the plan says that no node can ever start.",
        "reconcile/test_preflight_account.py::test_no_node_can_ever_start",
    ),
    _of(
        "docs/azure.mdx",
        "A quota is no promise of room: a wait for nodes ends, and says what is there.",
        "reconcile/test_watch_pool.py::test_nodes_that_do_not_come_are_told_with_what_is_there",
        "end_to_end/test_faults.py::test_a_pool_without_nodes_times_out",
    ),
    _of(
        "resizeErrors",
        "Errors of a resize stay until the next one: that is tried when tasks need the pool.",
        "reconcile/test_plan_pool.py::test_a_failed_resize_is_tried_again_when_the_pool_is_needed",
        "reconcile/test_apply.py::test_a_last_resize_that_failed_is_tried_again_only_for_tasks",
    ),
    _of(
        "nextflow#4792 #3257 PR#7312",
        "A pool that has such errors, and nodes, is used.",
        "reconcile/test_watch.py::test_a_pool_whose_resize_failed_in_part_is_told_and_used",
    ),
    _of(
        "AllocationFailed/Timedout",
        "A pool that scales by itself gets over such errors.",
        "reconcile/test_watch.py::test_a_pool_that_scales_by_itself_gets_over_a_resize_that_failed",
    ),
)

LEAKS = (
    _of(
        "nextflow#2110 batch-shipyard#251",
        "A new pool of an id may meet the old one that is being deleted: it is waited for.",
        "reconcile/test_plan_pool.py::test_a_pool_that_is_being_deleted_is_made_anew",
        "reconcile/test_gone.py::test_it_ends_when_the_id_is_free",
        "reconcile/test_apply.py::test_foreign_things_that_are_being_deleted_are_waited_for",
    ),
    _of(
        "azure-storage-python#569 azure-sdk#710",
        "So may a container, with an answer that the SDK does not try again.",
        "cloud/test_blobs.py::test_a_container_that_is_being_deleted_is_waited_for",
    ),
    _of(
        "batch-shipyard#80",
        "A deletion is waited for, and one without an end is told.",
        "reconcile/test_gone.py::test_a_deletion_that_never_ends_is_told",
        "reconcile/test_delete.py::test_everything_of_the_spec_is_listed_and_then_gone",
    ),
    _of(
        "separately",
        "Pool and job are deleted one by one: `delete` does both.",
        "reconcile/test_delete.py::test_everything_of_the_spec_is_listed_and_then_gone",
    ),
    _of(
        "CromwellOnAzure#49 #48 #718 ga4gh-tes#785",
        "What outlived its counterpart, or its spec, is found by its mark: `plan` names it and `delete` removes it.",
        "reconcile/test_plan.py::test_a_pool_that_outlived_its_job_is_told",
        "reconcile/test_observe.py::test_strays_carry_our_mark_and_are_not_named",
        "reconcile/test_delete.py::test_what_the_spec_no_longer_names_goes_too",
        "end_to_end/test_auto_pool.py::test_a_pool_that_is_kept_alive_is_left_to_delete",
    ),
    _of(
        "shutdown()",
        "Nothing that bounds the bill is left to the client: formulas and limits are there before the first task.",
        "reconcile/test_interruption.py::test_what_bounds_the_bill_is_in_the_service_before_the_first_task",
        "spec/formula/test_named.py::test_an_idle_pool_goes_down_and_a_new_or_busy_one_has_all_its_nodes",
        "end_to_end/test_auto_pool.py::test_a_pool_comes_and_goes_with_its_job",
    ),
    _of(
        "Azure/Batch#117",
        "A task that needs more slots than a node has would wait for ever while nodes are paid for: the plan fails.",
        "reconcile/test_preflight_tasks.py::test_a_task_that_needs_more_slots_than_a_node_has_fails",
    ),
    _of(
        "nextflow#5545",
        "Named formulas count preempted nodes.",
        "spec/formula/test_named.py::test_preempted_nodes_are_asked_for_on_top_while_there_is_work",
    ),
    _of(
        "batch-shipyard#218",
        "Nodes that leave, or boot again, finish their tasks.",
        "reconcile/test_step_pool.py::test_nodes_that_a_resize_takes_away_finish_their_tasks",
        "spec/formula/test_named.py::test_a_named_formula_is_a_right_one",
        "end_to_end/test_topwords.py::test_an_edited_task_script_reboots_the_nodes_and_runs_every_task_again",
    ),
)

SIGNATURES = (
    _of(
        "CromwellOnAzure#578 doAzureParallel#363",
        "A signature made at submission must work when the task at last uploads.",
        "reconcile/test_sending.py::test_a_sas_lasts_as_long_as_it_may_be_needed",
        "reconcile/test_apply.py::test_a_run_that_only_waits_extends_the_sas_of_its_waiting_tasks",
        "reconcile/test_apply.py::test_a_task_whose_sas_was_refused_is_added_anew_when_retried",
        "reconcile/test_preflight_tasks.py::test_a_queue_that_may_be_longer_than_the_sas_is_a_warning",
    ),
    _of(
        "microsoft/ardiffact#48",
        "With Entra a signature lives 7 days at most.",
        "cloud/test_sas.py::test_with_entra_one_delegation_key_of_seven_days_at_most_signs_everything",
        "reconcile/test_preflight_tasks.py::test_a_sas_that_cannot_last_as_long_as_the_wait_fails",
    ),
    _of(
        "rotation docs/96",
        "After its account's key was rotated, nodes could not fetch the files of their start task: it is sent again.",
        "reconcile/test_step_sas.py::test_a_start_task_whose_key_was_rotated_is_sent_again_before_tasks_run",
        "reconcile/test_step_sas.py::test_while_tasks_wait_the_nodes_that_come_for_them_can_fetch_their_start_task",
        "reconcile/test_step_sas.py::test_nodes_that_start_again_get_a_start_task_that_they_can_fetch",
    ),
    _of(
        "pool identity",
        "With the identity of the pool there is no signature at all.",
        "render/test_access.py::test_with_the_identity_of_the_pool_no_sas_is_sent",
    ),
    _of(
        "wall token life",
        "What is to last longer than any signature is refused before anything is written.",
        "reconcile/test_sending.py::test_what_outlives_every_sas_is_refused_before_anything_is_written",
        "reconcile/test_preflight_tasks.py::test_a_task_that_may_run_for_longer_than_its_sas_is_a_warning",
    ),
    _of(
        "PR#2576 PR#6902",
        "Each container has a signature of its own.",
        "reconcile/test_sending.py::test_every_symbol_is_replaced_and_each_sas_is_granted_once",
    ),
    _of(
        "{url} #314",
        "The address of a file is without signature; signatures and secrets are in no output, settings included.",
        "render/test_names.py::test_a_container_gives_addresses_as_symbols",
        "end_to_end/test_secrets.py::test_no_command_shows_a_secret_that_a_task_has_printed",
        "cloud/test_blobs.py::test_a_signature_is_never_in_the_verbose_lines_or_in_an_error",
        "reconcile/test_compare.py::test_what_was_sent_with_a_secret_is_not_shown_when_the_spec_holds_it_no_more",
    ),
    _of(
        "Redact plan output",
        "A plan shows none either.",
        "cli/test_as_json.py::test_a_plan_is_complete_and_holds_no_symbol_and_no_signature",
        "reconcile/test_compare.py::test_an_address_is_shown_without_its_sas",
    ),
)

NAMES = (
    _of(
        "azure-sdk-for-net#17107",
        "Batch starts no shell: `command` brings one, `command_line` is as it is.",
        "engine/test_process.py::test_the_command_line_is_not_a_shell",
        "render/test_shorthand.py::test_commands",
        "render/test_shell.py::test_a_single_command_is_wrapped_once",
    ),
    _of(
        "batch-cli-extensions#43",
        "On Windows a command's own quotes survive the shell around it.",
        "render/test_shell.py::test_windows_takes_the_text_as_it_is",
    ),
    _of(
        "PR#6864",
        "Several commands of a start task are one shell's, and each of them runs.",
        "render/test_shell.py::test_a_list_stops_at_the_first_failure",
        "render/test_shell.py::test_heredocs_and_comments_in_a_list_end_where_they_end",
    ),
    _of(
        "shlex.quote",
        "A command is wrapped once, and `sh` quotes any word.",
        "render/test_shell.py::test_any_words_survive_quoting_and_wrapping",
        "render/test_shell.py::test_a_single_command_is_wrapped_once",
    ),
    _of(
        "braces",
        "A shell's braces survive, and where they do not the readme says what to write.",
        "test_readme.py::test_braces_come_out_as_the_readme_says",
    ),
    _of(
        "[A-Za-z0-9_-]",
        "An id has 64 letters, digits, hyphens and underscores at most.",
        "render/test_ids.py::test_an_illegal_id_is_explained",
    ),
    _of(
        "cfa_azure#20 azure-sdk-for-python#1340",
        "An id made of a file's name is told offline, with the filter that makes a legal one.",
        "render/test_tasks.py::test_an_illegal_id_names_the_file_and_the_filter",
    ),
    _of(
        "Sanitise hash",
        "`task_id` makes one of any text, another for another text.",
        "render/test_ids.py::test_a_task_id_is_legal_for_any_text_and_stays_once_it_is",
        "render/test_ids.py::test_different_texts_have_different_task_ids",
    ),
    _of(
        "collisions flattened",
        "Ids, blobs and downloads that would fall on one name are told.",
        "render/test_tasks.py::test_ids_that_differ_in_case_only_are_told_with_what_they_come_from",
        "render/test_desired.py::test_two_uploads_cannot_make_the_same_blob",
        "render/test_check.py::test_tasks_that_write_the_same_blob_are_warned_of",
        "reconcile/test_fetch.py::test_two_downloads_into_one_folder_do_not_overwrite_each_other",
    ),
    _of(
        "BatchExplorer#2877 nextflow#717",
        "Files with `#`, parentheses and anything else in their names go in and come out.",
        "end_to_end/test_odd_names.py::test_files_of_any_name_go_in_and_come_out_and_so_does_what_a_task_printed",
        "reconcile/test_ports.py::test_names_that_need_care_come_back_as_they_were_with_size_md5_and_content",
    ),
    _of(
        "nextflow#1969",
        "Braces in a glob stand for themselves, and who means a choice is told.",
        "render/test_files.py::test_braces_stand_for_themselves_and_who_means_a_choice_is_told",
    ),
    _of(
        "azure-cli#32427",
        "Blobs that only mark a folder are neither inputs nor files.",
        "reconcile/test_listing.py::test_folder_markers_are_left_out_and_empty_files_are_not",
        "reconcile/test_fetch.py::test_empty_folder_markers_are_no_files",
        "end_to_end/test_generators.py::test_existing_blobs_are_tasks_and_only_what_changed_runs_again",
    ),
    _of(
        "azure-sdk-for-python#10517",
        "What a task printed can be an output file, by a pattern that leaves its working directory.",
        "end_to_end/test_odd_names.py::test_files_of_any_name_go_in_and_come_out_and_so_does_what_a_task_printed",
        "engine/test_wildcards.py::test_wildcards_find",
    ),
)

MACHINES = (
    _of(
        "Azure/Batch#180 #174 #200",
        "Images retire, and pools are brought down to no nodes: the plan says when, and that it was not the spec.",
        "reconcile/test_preflight_pool.py::test_an_image_has_an_end",
        "reconcile/test_images.py::test_a_pool_outlives_its_image_s_place_in_the_list",
        "reconcile/test_drift.py::test_a_pool_that_the_service_brought_down_to_no_nodes_is_drift_and_grows_again",
    ),
    _of(
        "hard-coded",
        "No image is taken unless the spec names it.",
        "spec/test_read.py::test_an_invalid_example_has_exactly_the_problems_in_its_first_comment[missing_words]",
        "reconcile/test_images.py::test_an_image_the_service_does_not_know_is_refused_by_the_plan_with_near_names",
    ),
    _of(
        "warn date",
        "An image that ends soon is a warning, one that has ended a failure.",
        "reconcile/test_preflight_pool.py::test_an_image_has_an_end",
    ),
    _of(
        "Azure/Batch#196",
        "Low-priority nodes are Spot nodes now, and may be taken away: long tasks on nothing else are a warning.",
        "reconcile/test_preflight_tasks.py::test_long_tasks_on_low_priority_nodes_alone_are_a_warning",
    ),
    _of(
        "API name stays",
        "Their name in the API is the old one, to which `spot_nodes` leads.",
        "spec/test_elsewhere.py::test_each_name_from_elsewhere_leads_to_words_of_the_schema_and_is_none",
        "end_to_end/test_ffmpeg.py::test_the_spec_as_shipped_makes_five_mp3_files_and_cleans_up_its_inputs",
    ),
    _of(
        "batch-shipyard#291",
        "A start task that no longer installs ends the wait, or loses its node only, and says why.",
        "end_to_end/test_faults.py::test_a_start_task_that_fails_everywhere_ends_the_wait",
        "end_to_end/test_faults.py::test_a_start_task_that_fails_on_one_node_leaves_the_others_to_work",
    ),
    _of(
        "#341",
        "A registry that was away for a while costs one more run: nodes that failed start again.",
        "reconcile/test_step_pool.py::test_nodes_that_failed_start_again_when_asked",
        "engine/test_containers.py::test_a_pool_fetches_its_images_and_a_node_that_cannot_is_unusable",
        "reconcile/test_watch.py::test_nodes_that_are_all_unusable_end_the_wait",
    ),
    _of(
        "nextflow#6708",
        "A disk that is full is told as that, with what to change; the size of the system's disk can be written.",
        "reconcile/test_failures.py::test_every_usual_code_has_a_next_step",
        "engine/test_transfer_failure.py::test_a_full_disk_is_told_from_other_faults_of_the_node",
        "render/test_every_property.py::test_every_property_of_a_model_arrives_as_the_sdk_sends_it[BatchPoolCreateOptions-BatchOsDisk]",
    ),
)

RECONCILING = (
    _of(
        "hashicorp/terraform-provider-azurerm#30187 #29362",
        "A plan after an apply has nothing to do, whatever the service reorders, fills in or writes otherwise.",
        "reconcile/test_compare.py::test_what_the_service_fills_in_or_writes_otherwise_is_no_difference",
        "reconcile/test_apply.py::test_a_second_run_writes_nothing_whatever_the_service_makes_of_a_body",
        "end_to_end/test_drift.py::test_what_was_just_applied_differs_in_nothing",
    ),
    _of(
        "#7316",
        "Another number of nodes is a resize in place, after the one that is going on.",
        "reconcile/test_apply.py::test_a_resize_reaches_the_pool_in_place",
        "reconcile/test_step_pool.py::test_a_resize_waits_until_the_last_one_has_ended",
    ),
    _of(
        "PR#19780",
        "A pool that somebody deleted is made anew.",
        "reconcile/test_apply.py::test_a_pool_that_somebody_deleted_is_made_anew_and_no_finished_task_runs_again",
    ),
    _of(
        "Normalise",
        "What is compared is normalised.",
        "reconcile/test_compare.py::test_what_the_service_fills_in_or_writes_otherwise_is_no_difference",
        "reconcile/test_plan_job.py::test_a_default_that_is_now_written_out_is_no_difference",
    ),
    _of(
        "kubernetes/kubectl#572",
        "Only what carries the mark of exactly this spec is ever deleted.",
        "reconcile/test_marks.py::test_containers_and_blobs_are_owned_by_exactly_one_name",
        "reconcile/test_delete.py::test_foreign_things_of_our_names_are_told_of_and_stay",
        "reconcile/test_apply.py::test_prune_removes_our_blobs_whose_file_is_gone_and_no_others",
        "reconcile/test_cleanup.py::test_it_removes_only_what_is_ours",
    ),
    _of(
        "snapshot",
        "Inputs are listed once, when a plan is made; a plan that was reviewed runs these inputs or none.",
        "end_to_end/test_reviewed.py::test_what_has_changed_since_is_told_and_nothing_is_written",
        "reconcile/test_freeze.py::test_blobs_that_a_generator_listed_count_by_content",
    ),
    _of(
        "docs/35",
        "A file that changes after that is not sent, and a plan that was reviewed knows the content of its inputs.",
        "reconcile/test_step_blobs.py::test_a_file_that_changes_after_the_plan_is_not_sent",
        "reconcile/test_freeze.py::test_the_digest_changes_with",
    ),
    _of(
        "Completed succeeded",
        "A task that completed may have failed: they are counted apart, and failures end with 3.",
        "reconcile/test_outcome.py::test_the_total_is_everything_that_is_there",
        "cli/test_text_outcome.py::test_counts_say_what_ended_how_and_what_is_left",
        "end_to_end/test_faults.py::test_a_task_that",
    ),
    _of(
        "Azure/Batch#128",
        "A command that succeeded and whose upload failed is told as an upload that failed, with the exit code 0.",
        "end_to_end/test_faults.py::test_a_task_whose_output_is_refused",
        "reconcile/test_outcome.py::test_failures_have_one_cause_when_code_and_exit_code_are_the_same",
    ),
)

PITFALLS = (*SUBMISSION, *THROTTLING, *LEAKS, *SIGNATURES, *NAMES, *MACHINES, *RECONCILING)
