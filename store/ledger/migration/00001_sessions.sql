-- What NASes report of sessions. Times and durations are milliseconds, times
-- since 1970.

-- +goose Up

-- One row is one session. id is the first half of its UUIDv7 and tail the other,
-- so the rows stand in the order in which they were made, and to find one by its
-- id takes no index. A NAS that has started anew
-- may use a session's key again; reuse counts how often it has. started_at, ended_at
-- and heard_at (of the last report) are the NAS's, updated_at is ours. every is the
-- longest time between two of its Interims, interim_at when the last one was.
CREATE TABLE session (
    id             INTEGER  NOT NULL PRIMARY KEY,
    tail           BIGINT   NOT NULL,
    client         TEXT     NOT NULL,
    nas            TEXT     NOT NULL,
    acct_id        TEXT     NOT NULL,
    login_sent     TEXT     NOT NULL,
    reuse          INTEGER  NOT NULL,
    started_at     BIGINT   NOT NULL,
    ended_at       BIGINT,
    folded         TEXT     NOT NULL,
    mac            TEXT     NOT NULL,
    site           TEXT     NOT NULL,
    plan           TEXT     NOT NULL,
    event          SMALLINT NOT NULL,
    heard_at       BIGINT   NOT NULL,
    updated_at     BIGINT   NOT NULL,
    input          BIGINT   NOT NULL,
    output         BIGINT   NOT NULL,
    input_packets  BIGINT   NOT NULL,
    output_packets BIGINT   NOT NULL,
    duration       BIGINT   NOT NULL,
    every          BIGINT   NOT NULL,
    interim_at     BIGINT,
    start_seen     SMALLINT NOT NULL,
    closed         TEXT     NOT NULL,
    cause          TEXT     NOT NULL,
    login          TEXT     NOT NULL,
    backend        TEXT     NOT NULL,
    vlan           TEXT     NOT NULL,
    decision       TEXT     NOT NULL,
    multi_id       TEXT     NOT NULL,
    ssid           TEXT     NOT NULL,
    calling        TEXT     NOT NULL,
    called         TEXT     NOT NULL,
    address        TEXT     NOT NULL,
    peer           TEXT     NOT NULL,
    nas_address    TEXT     NOT NULL,
    nas_identifier TEXT     NOT NULL,
    port           BIGINT,
    port_id        TEXT     NOT NULL,
    audit          TEXT     NOT NULL,
    interim        BIGINT   NOT NULL,
    timeout        BIGINT   NOT NULL
);

-- Idempotence hangs on this one: no session is there twice.
CREATE UNIQUE INDEX session_key ON session (client, nas, acct_id, login_sent, reuse);

-- Open sessions are in memory; this one finds them at the start. The others are
-- for lists, and hold only what has ended: so a session costs its place in
-- them once, when it is over, and not while its NAS waits to let a device in.
CREATE INDEX session_open ON session (id) WHERE ended_at IS NULL;
CREATE INDEX session_started ON session (started_at) WHERE ended_at IS NOT NULL;
CREATE INDEX session_login ON session (folded, started_at) WHERE ended_at IS NOT NULL;
CREATE INDEX session_mac ON session (mac, started_at) WHERE ended_at IS NOT NULL;
CREATE INDEX session_client ON session (client, started_at) WHERE ended_at IS NOT NULL;
CREATE INDEX session_site ON session (site, started_at) WHERE ended_at IS NOT NULL;
CREATE INDEX session_plan ON session (plan, started_at) WHERE ended_at IS NOT NULL;

-- What was used on a day of the site's zone ("2006-01-02"), by whom, by what plan.
CREATE TABLE usage (
    day      TEXT   NOT NULL,
    folded   TEXT   NOT NULL,
    backend  TEXT   NOT NULL,
    plan     TEXT   NOT NULL,
    login    TEXT   NOT NULL,
    input    BIGINT NOT NULL,
    output   BIGINT NOT NULL,
    duration BIGINT NOT NULL,
    sessions BIGINT NOT NULL,
    PRIMARY KEY (day, folded, backend, plan)
) WITHOUT ROWID;

CREATE INDEX usage_login ON usage (folded, day);

-- What was sent to a NAS to change or end a session, and what came back. took is
-- in microseconds.
CREATE TABLE attempt (
    id          TEXT    NOT NULL PRIMARY KEY,
    session     TEXT    NOT NULL,
    at          BIGINT  NOT NULL,
    kind        TEXT    NOT NULL,
    why         TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    result      TEXT    NOT NULL,
    error_cause INTEGER NOT NULL,
    sends       INTEGER NOT NULL,
    took        BIGINT  NOT NULL,
    gone_at     BIGINT
);

CREATE INDEX attempt_session ON attempt (session, at);
CREATE INDEX attempt_at ON attempt (at);

-- +goose Down
DROP TABLE attempt;
DROP TABLE usage;
DROP TABLE session;
