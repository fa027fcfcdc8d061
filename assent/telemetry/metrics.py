"""Every metric of the project, declared once; a label never holds a subject, a URL, a host or a caller."""

from __future__ import annotations

from assent.telemetry.metric_definition import (
    LONG_SECONDS,
    CounterDefinition,
    GaugeDefinition,
    HistogramDefinition,
    MetricDefinition,
)

# --- the log and its consumers ---
RECORDS_CONSUMED = CounterDefinition("assent_records_consumed_total", "Records read from a topic.", ("topic",))
RECORD_OUTCOMES = CounterDefinition(
    "assent_records_outcome_total",
    "Records finished, by stage, outcome (emit, refuse, ignore, dead) and reason, a rule id or short code.",
    ("stage", "outcome", "reason"),
)
CONSUMER_LAG = GaugeDefinition("assent_consumer_lag_records", "Records between the committed and the end offset.", ("topic", "partition"))
CONSUMER_TIME_LAG = GaugeDefinition(
    "assent_consumer_time_lag_seconds", "Age of the oldest record not yet finished; 0 when caught up.", ("topic",)
)
CONSUMER_LAST_PROGRESS = GaugeDefinition(
    "assent_consumer_last_progress_timestamp_seconds",
    "Unix time at which the group last finished a record or was proven idle.",
    ("group",),
)
CONSUMER_HELD = GaugeDefinition(
    "assent_consumer_held", "1 while partitions are paused because of trouble of ours, by stage and cause.", ("stage", "cause")
)
CONSUMER_RETRIES = CounterDefinition("assent_consumer_retries_total", "Records put back to be tried later.", ("stage", "error"))
REBALANCES = CounterDefinition("assent_rebalances_total", "Assignments that changed under a running consumer.", ("group",))
COMMIT_FAILURES = CounterDefinition(
    "assent_commit_failures_total", "Offset commits that found their partitions moved, by stage.", ("stage",)
)
DEAD_LETTERS = CounterDefinition("assent_dlq_records_total", "Records that could not be read, by cause.", ("topic", "cause"))
DEAD_LETTERS_REPLAYED = CounterDefinition(
    "assent_dlq_replayed_total",
    "Dead letters that a replay was asked for, by what it came to: replayed, already_replayed, gone, differs, damaged or too_large.",
    ("topic", "outcome"),
)
STAGE_DURATION = HistogramDefinition("assent_stage_duration_seconds", "Time one event spent in one stage.", ("stage",))
EVENT_LOOP_LAG = GaugeDefinition("assent_event_loop_lag_seconds", "How late the event loop woke up last.")

# --- tables: grants, withdrawals, policies, suppressions ---
TABLE_READY = GaugeDefinition("assent_table_ready", "1 when the table has reached the end offset since start.", ("table",))
TABLE_AGE = GaugeDefinition("assent_table_age_seconds", "Time since the table was last known to stand at the end offset.", ("table",))
TABLE_UNREADABLE = CounterDefinition(
    "assent_table_unreadable_records_total", "Records of a table that could not be read; their keys are denied.", ("table",)
)
POLICY_PUBLISHED = GaugeDefinition(
    "assent_policy_published_timestamp_seconds", "Unix time at which the policy that this process decides by was published."
)

# --- crawler and intake ---
FETCHES = CounterDefinition("assent_fetches_total", "Fetches that ended, by outcome.", ("outcome",))
FETCHES_BLOCKED = CounterDefinition("assent_fetch_blocked_total", "Fetches refused before a byte was asked for.", ("reason",))
SERVER_TABLE_AGE = GaugeDefinition("assent_server_table_age_seconds", "Age of the older table of servers' addresses, 0 without one.")
QUARANTINE_OLDEST_AGE = GaugeDefinition("assent_quarantine_oldest_age_seconds", "Age of the oldest original in quarantine.")
QUARANTINE_SWEPT = CounterDefinition("assent_quarantine_swept_total", "Originals removed because nothing ended them in time.")

PRODUCERS_SUSPENDED = GaugeDefinition("assent_producers_suspended", "Producers whose records are set aside until an operator resumes them.")

# --- places ---
CANDIDATES = CounterDefinition("assent_candidate_jurisdictions_total", "Cases in which a jurisdiction was a candidate.", ("jurisdiction",))
REFUSALS = CounterDefinition(
    "assent_refusals_total",
    "Refused images, each once, by stage, by rule and by place that was a candidate; other and none stand for what has no name.",
    ("stage", "rule", "jurisdiction"),
)

# --- faces ---
FACES_EMBEDDED = CounterDefinition("assent_faces_embedded_total", "Faces under a live grant that became vectors.")
FACES_DISCARDED = CounterDefinition("assent_faces_discarded_total", "Detected faces dropped inside the embedder.", ("reason",))
MODEL_INFO = GaugeDefinition("assent_model_info", "1 for the model pack in use.", ("pack", "digest"), digest_labels=frozenset({"digest"}))
MODEL_SELF_TEST_PASSED = GaugeDefinition("assent_model_self_test_passed", "1 when the pack reproduced its own reference vectors at start.")

# --- vectors ---
VECTORS = GaugeDefinition("assent_vectors", "Points that can be searched, as last counted by the sweep.")
VECTORS_WITHOUT_GRANT = GaugeDefinition(
    "assent_vectors_without_grant", "Points found by the sweep whose grant is neither live nor being erased. Must be 0."
)
SWEEP_LAST_COMPLETED = GaugeDefinition(
    "assent_sweep_last_completed_timestamp_seconds", "Unix time at which the sweep last judged every point."
)
PICTURES_WITHOUT_GRANT = GaugeDefinition(
    "assent_pictures_without_grant", "Grants neither live nor being erased whose pictures the sweep found, and deleted. Must be 0."
)
PICTURE_SWEEP_LAST_COMPLETED = GaugeDefinition(
    "assent_picture_sweep_last_completed_timestamp_seconds", "Unix time at which the sweep last judged every picture."
)
VECTOR_WRITES_OVERTAKEN = CounterDefinition(
    "assent_vector_writes_overtaken_total", "Points written and deleted again because of what ended or was suppressed meanwhile."
)

# --- withdrawal and erasure ---
WITHDRAWAL_OLDEST_UNAPPLIED_AGE = GaugeDefinition(
    "assent_withdrawal_oldest_unapplied_age_seconds",
    "Age of the oldest acknowledged withdrawal that this process has not applied; 0 when none.",
    ("service",),
)
WITHDRAWAL_UNDISCLOSABLE = HistogramDefinition(
    "assent_withdrawal_undisclosable_seconds",
    "From the acknowledgement of a withdrawal until this process stopped disclosing.",
    ("service",),
    buckets=LONG_SECONDS,
)
DISCLOSURES_AFTER_WITHDRAWAL = CounterDefinition(
    "assent_disclosures_after_withdrawal_total",
    "Answers begun after a withdrawal was acknowledged that named its person. Must be 0.",
)
ERASURES_PENDING = GaugeDefinition("assent_erasures_pending", "Erasures not yet at the level in every store.", ("level",))
ERASURE_TIME_LEFT = GaugeDefinition(
    "assent_erasure_deadline_left_seconds",
    "Time left to the nearest deadline among pending erasures; negative when missed.",
    ("level",),
)
ERASURE_DURATION = HistogramDefinition(
    "assent_erasure_duration_seconds", "From request until every store reached the level.", ("level",), buckets=LONG_SECONDS
)
PURGE_BACKLOG = GaugeDefinition("assent_purge_backlog_points", "Points deleted logically whose bytes are still on disk.")
RECEIPTS = CounterDefinition("assent_receipts_total", "Erasure receipts signed.", ("level",))

# --- search ---
SEARCHES = CounterDefinition("assent_searches_total", "Searches that ended, by basis and outcome.", ("basis", "outcome"))
SEARCH_DURATION = HistogramDefinition("assent_search_duration_seconds", "From request to answer.", ("basis",))
CATCH_UP_DURATION = HistogramDefinition("assent_catch_up_duration_seconds", "Waiting for the tables before an answer.")
CATCH_UP_TIMEOUTS = CounterDefinition("assent_catch_up_timeouts_total", "Answers withheld because a table did not catch up.")
DISCLOSURES = CounterDefinition("assent_disclosures_total", "Disclosure records acknowledged, by outcome.", ("outcome",))
DISCLOSURE_RECORD_FAILURES = CounterDefinition(
    "assent_disclosure_record_failures_total",
    "Answers withheld for want of an acknowledged disclosure record.",
    ("error",),
)

# --- grants, one by one ---
GRANT_FAULTS = CounterDefinition(
    "assent_grant_faults_total",
    "Times that one grant could not be ended, told or erased for a reason nobody foresaw, by stage; all others went on.",
    ("stage",),
)

# --- registry ---
GRANTS = GaugeDefinition("assent_grants", "Grants by state.", ("state",))
GRANTS_REAPPENDED = CounterDefinition(
    "assent_grants_reappended_total", "Snapshots appended again because a lower revision landed after a higher one."
)
ORDER_TIME_LEFT = GaugeDefinition(
    "assent_order_deadline_left_seconds",
    "Time left to a clock (comply, report, destroy) of an order that is not recorded as met; negative when missed.",
    ("jurisdiction", "clock"),
)
CONTROL_PROOFS = GaugeDefinition(
    "assent_control_proofs",
    "Proofs of control: those that count, those that do although the last look did not show it (failing), those that ended unreplaced.",
    ("state",),
)
CONTROL_TIME_LEFT = GaugeDefinition(
    "assent_control_proof_left_seconds", "Time left to the proof of control that ends first; a whole proof's where none counts."
)
POLICY_RELOADS = CounterDefinition("assent_policy_reloads_total", "Policy documents read, by outcome.", ("outcome",))
POLICY_FILE_REFUSED = GaugeDefinition(
    "assent_policy_file_refused", "1 while the policy file is not in force and the policy that was published last is."
)
POLICY_FILE_TAKEN = GaugeDefinition(
    "assent_policy_file_taken_timestamp_seconds",
    "Unix time at which the policy file was last read and put in force, or found to be in force; it stands still while the file does.",
)

# --- HTTP and the process ---
HTTP_REQUESTS = CounterDefinition(
    "assent_http_requests_total",
    "Requests answered, by service, route template and status class.",
    ("service", "route", "status"),
)
HTTP_DURATION = HistogramDefinition("assent_http_request_duration_seconds", "Time to answer a request.", ("service", "route"))
LOG_FIELDS_DROPPED = CounterDefinition("assent_log_fields_dropped_total", "Log fields withheld by the allow-list.", ("service",))
LABELS_REPLACED = CounterDefinition(
    "assent_metric_labels_replaced_total", "Label values withheld because they could name a person.", ("metric",)
)
BUILD_INFO = GaugeDefinition("assent_build_info", "1 for the running version.", ("service", "version"))

ALL: tuple[MetricDefinition, ...] = tuple(value for value in list(globals().values()) if isinstance(value, MetricDefinition))


def series_names() -> frozenset[str]:
    """Every series name that a scrape of any service can show under `assent_`."""
    return frozenset(name for definition in ALL for name in definition.series_names())
