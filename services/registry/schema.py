"""The tables of the registry's file; no photo, no vector, no plain secret has a column here."""

from __future__ import annotations

FOLDER, FILE = "registry", "registry.sqlite3"
"""Where the file lies below a data folder."""

SCHEMA_VERSION = 6

CHANGES = {
    1: "ALTER TABLE outcomes ADD COLUMN image_id TEXT",
    2: "ALTER TABLE policy_versions ADD COLUMN document TEXT",
    3: "ALTER TABLE outcomes ADD COLUMN place TEXT",
    4: "ALTER TABLE grants ADD COLUMN control_seen INTEGER NOT NULL DEFAULT 0",
    5: """CREATE TABLE IF NOT EXISTS control_proofs (
    proof_id TEXT PRIMARY KEY, controller TEXT NOT NULL, place TEXT NOT NULL, file_url TEXT NOT NULL, token TEXT NOT NULL,
    salt BLOB NOT NULL, created_at TEXT NOT NULL, proven_at TEXT, ends_at TEXT, revoked_at TEXT) STRICT;
    ALTER TABLE control_proofs ADD COLUMN shown_by TEXT;
    ALTER TABLE control_proofs ADD COLUMN is_validated INTEGER;
    ALTER TABLE control_proofs ADD COLUMN looked_at TEXT;
    ALTER TABLE control_proofs ADD COLUMN look_found TEXT""",
}
"""What makes a file of a version one of the next."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS subjects (
    subject_id TEXT PRIMARY KEY, age_band TEXT NOT NULL, residences TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS grants (
    grant_id TEXT PRIMARY KEY, subject_id TEXT NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL,
    mode TEXT NOT NULL, expires_at TEXT NOT NULL, created_at TEXT NOT NULL, changed_at TEXT NOT NULL,
    published_revision INTEGER NOT NULL DEFAULT 0, ended_wire TEXT, control_seen INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS grants_by_subject ON grants (subject_id);
CREATE INDEX IF NOT EXISTS grants_by_state ON grants (state, expires_at);

CREATE TABLE IF NOT EXISTS revisions (
    grant_id TEXT NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL, changed_at TEXT NOT NULL,
    sha256 TEXT NOT NULL, prev_hash TEXT, signature BLOB NOT NULL, sealed BLOB, PRIMARY KEY (grant_id, revision)) STRICT;

CREATE TABLE IF NOT EXISTS members (
    joint_grant_id TEXT NOT NULL, member_grant_id TEXT NOT NULL, PRIMARY KEY (joint_grant_id, member_grant_id)) STRICT;
CREATE INDEX IF NOT EXISTS joints_by_member ON members (member_grant_id);

CREATE TABLE IF NOT EXISTS secrets (
    hash BLOB PRIMARY KEY, grant_id TEXT NOT NULL, kind TEXT NOT NULL, used_at TEXT) STRICT;
CREATE INDEX IF NOT EXISTS secrets_by_grant ON secrets (grant_id, kind);

CREATE TABLE IF NOT EXISTS openings (
    grant_id TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS login_codes (
    hash BLOB PRIMARY KEY, principal TEXT NOT NULL, expires_at TEXT NOT NULL, used_at TEXT) STRICT;

CREATE TABLE IF NOT EXISTS producers (
    producer_id TEXT PRIMARY KEY, public_key BLOB NOT NULL, created_at TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS erasures (
    erasure_id TEXT PRIMARY KEY, grant_id TEXT NOT NULL UNIQUE, cause TEXT NOT NULL, requested_at TEXT NOT NULL,
    grant_commitment TEXT NOT NULL, points_commitment TEXT NOT NULL, key_fingerprint TEXT, offsets TEXT,
    is_announced INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE TABLE IF NOT EXISTS erasure_progress (
    erasure_id TEXT NOT NULL, store TEXT NOT NULL, level TEXT NOT NULL, count_before INTEGER NOT NULL,
    count_after INTEGER NOT NULL, method TEXT NOT NULL, remains TEXT NOT NULL, reached_at TEXT NOT NULL,
    PRIMARY KEY (erasure_id, store, level)) STRICT;

CREATE TABLE IF NOT EXISTS receipts (
    receipt_id TEXT PRIMARY KEY, erasure_id TEXT NOT NULL, kind TEXT NOT NULL, document BLOB NOT NULL,
    UNIQUE (erasure_id, kind)) STRICT;

CREATE TABLE IF NOT EXISTS held_faces (
    face_id TEXT PRIMARY KEY, grant_id TEXT NOT NULL, embedded_at TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS faces_by_grant ON held_faces (grant_id);

CREATE TABLE IF NOT EXISTS disclosures (
    query_id TEXT NOT NULL, face_id TEXT NOT NULL, grant_id TEXT NOT NULL, caller TEXT NOT NULL, purpose TEXT NOT NULL,
    answered_at TEXT NOT NULL, PRIMARY KEY (query_id, face_id)) STRICT;
CREATE INDEX IF NOT EXISTS disclosures_by_grant ON disclosures (grant_id);

CREATE TABLE IF NOT EXISTS outcomes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, sighting_id TEXT NOT NULL, grant_id TEXT,
    producer TEXT NOT NULL, stage TEXT NOT NULL, outcome TEXT NOT NULL, at TEXT NOT NULL, image_id TEXT, place TEXT) STRICT;
CREATE INDEX IF NOT EXISTS outcomes_by_producer ON outcomes (producer, sequence);
CREATE INDEX IF NOT EXISTS outcomes_by_grant ON outcomes (grant_id);

CREATE TABLE IF NOT EXISTS sightings (
    sighting_id TEXT PRIMARY KEY, producer TEXT NOT NULL, grant_id TEXT, announced_at TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS sightings_by_grant ON sightings (grant_id);

CREATE TABLE IF NOT EXISTS control_proofs (
    proof_id TEXT PRIMARY KEY, controller TEXT NOT NULL, place TEXT NOT NULL, file_url TEXT NOT NULL, token TEXT NOT NULL,
    salt BLOB NOT NULL, created_at TEXT NOT NULL, proven_at TEXT, ends_at TEXT, revoked_at TEXT, shown_by TEXT,
    is_validated INTEGER, looked_at TEXT, look_found TEXT) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS control_proofs_open ON control_proofs (controller, place) WHERE revoked_at IS NULL;

CREATE TABLE IF NOT EXISTS control_changes (
    one INTEGER PRIMARY KEY CHECK (one = 1), changes INTEGER NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS waiting (
    grant_id TEXT NOT NULL, sighting_id TEXT NOT NULL, sealed BLOB, seen_at TEXT NOT NULL,
    PRIMARY KEY (grant_id, sighting_id)) STRICT;

CREATE TABLE IF NOT EXISTS policy_versions (
    version TEXT PRIMARY KEY, sha256 TEXT NOT NULL, published_at TEXT NOT NULL, document TEXT) STRICT;

CREATE TABLE IF NOT EXISTS policy_signatures (
    signature TEXT PRIMARY KEY, sha256 TEXT NOT NULL, signer TEXT NOT NULL, signed_at TEXT NOT NULL, used_at TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS policy_signers (
    public_key TEXT PRIMARY KEY, name TEXT NOT NULL, met_at TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS policy_stops (
    number INTEGER PRIMARY KEY AUTOINCREMENT, place TEXT NOT NULL, operations TEXT NOT NULL, because TEXT NOT NULL,
    stopped_by TEXT NOT NULL, stopped_at TEXT NOT NULL, published_at TEXT, ended_at TEXT) STRICT;

CREATE TABLE IF NOT EXISTS minted_tokens (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, roles TEXT NOT NULL, org TEXT NOT NULL,
    ends_at TEXT NOT NULL, minted_at TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS replays (
    topic TEXT NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL, sha256 TEXT NOT NULL, replayed_at TEXT NOT NULL,
    PRIMARY KEY (topic, part, position, sha256)) STRICT;
"""
