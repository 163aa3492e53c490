-- What memberships that are synced from a member system bring along, and what
-- is kept about syncs, letters to members and the operator's tokens. Times of
-- members are seconds, all others milliseconds since 1970.

-- +goose Up

-- ref and membership are the member system's own ids. terms says since when and
-- until when each of plans is held: "since-until" in seconds for each plan,
-- ';' in between; '' is no bounds at all. A member with lapsed_at is none any
-- more; she is kept with her credential until she comes back or is forgotten.
ALTER TABLE member ADD COLUMN ref         TEXT     NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN membership  TEXT     NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN email       TEXT     NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN office_vlan TEXT     NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN team_vlan   TEXT     NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN terms       TEXT     NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN checked_out SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN lapsed_at   BIGINT;

-- The table has many without an id: members of no member system.
CREATE INDEX member_ref ON member (backend, ref) WHERE ref <> '';

-- The journal of syncs. notes are a JSON array of texts.
CREATE TABLE sync_run (
    id         TEXT     NOT NULL PRIMARY KEY,
    backend    TEXT     NOT NULL,
    site       TEXT     NOT NULL DEFAULT '',
    started_by TEXT     NOT NULL,
    kind       TEXT     NOT NULL,
    started_at BIGINT   NOT NULL,
    ended_at   BIGINT   NOT NULL,
    added      INTEGER  NOT NULL,
    changed    INTEGER  NOT NULL,
    returned   INTEGER  NOT NULL,
    lapsed     INTEGER  NOT NULL,
    unchanged  INTEGER  NOT NULL,
    skipped    INTEGER  NOT NULL,
    requests   INTEGER  NOT NULL,
    pages      INTEGER  NOT NULL,
    held       SMALLINT NOT NULL,
    error      TEXT     NOT NULL,
    notes      TEXT     NOT NULL
);

CREATE INDEX sync_run_started ON sync_run (backend, started_at);

-- What is to be told to a member or written back to her member system. An event
-- is open until it is done or given up (dead), and of one kind a member has one
-- open event at a time.
CREATE TABLE outbox (
    id         TEXT     NOT NULL PRIMARY KEY,
    backend    TEXT     NOT NULL,
    site       TEXT     NOT NULL DEFAULT '',
    login      TEXT     NOT NULL,
    folded     TEXT     NOT NULL,
    kind       TEXT     NOT NULL,
    created_at BIGINT   NOT NULL,
    next_at    BIGINT   NOT NULL,
    tries      INTEGER  NOT NULL DEFAULT 0,
    last_error TEXT     NOT NULL DEFAULT '',
    dead       SMALLINT NOT NULL DEFAULT 0,
    ended_at   BIGINT
);

CREATE UNIQUE INDEX outbox_open ON outbox (backend, folded, kind) WHERE ended_at IS NULL;
CREATE INDEX outbox_due ON outbox (next_at) WHERE ended_at IS NULL;

-- The pushes of member systems that were applied, by the SHA-256 of their id.
CREATE TABLE push_seen (
    backend    TEXT     NOT NULL,
    site       TEXT     NOT NULL DEFAULT '',
    digest     BYTEA    NOT NULL,
    seen_at    BIGINT   NOT NULL,
    PRIMARY KEY (backend, digest)
);

-- Tokens of the operator API. digest is the SHA-256 of 256 random bits.
CREATE TABLE api_token (
    id         TEXT     NOT NULL PRIMARY KEY,
    site       TEXT     NOT NULL DEFAULT '',
    name       TEXT     NOT NULL,
    scopes     TEXT     NOT NULL,
    digest     BYTEA    NOT NULL,
    created_at BIGINT   NOT NULL,
    expires_at BIGINT,
    used_at    BIGINT,
    revoked_at BIGINT
);

-- Two that are good can't bear one name: which of them would "revoke NAME" mean?
CREATE UNIQUE INDEX api_token_name ON api_token (name) WHERE revoked_at IS NULL;

-- Links to a member's personal page (session 0), each good for one visit, and
-- the visits that began with one (session 1).
CREATE TABLE page_link (
    id         TEXT     NOT NULL PRIMARY KEY,
    backend    TEXT     NOT NULL,
    site       TEXT     NOT NULL DEFAULT '',
    login      TEXT     NOT NULL,
    folded     TEXT     NOT NULL,
    session    SMALLINT NOT NULL,
    digest     BYTEA    NOT NULL,
    expires_at BIGINT   NOT NULL
);

CREATE INDEX page_link_member ON page_link (backend, folded);

-- +goose Down
DROP TABLE page_link;
DROP TABLE api_token;
DROP TABLE push_seen;
DROP TABLE outbox;
DROP TABLE sync_run;
DROP INDEX member_ref;
ALTER TABLE member DROP COLUMN lapsed_at;
ALTER TABLE member DROP COLUMN checked_out;
ALTER TABLE member DROP COLUMN terms;
ALTER TABLE member DROP COLUMN team_vlan;
ALTER TABLE member DROP COLUMN office_vlan;
ALTER TABLE member DROP COLUMN email;
ALTER TABLE member DROP COLUMN membership;
ALTER TABLE member DROP COLUMN ref;
