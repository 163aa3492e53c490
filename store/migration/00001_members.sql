-- The SQL here and in the package is what SQLite and PostgreSQL both take:
-- BIGINT seconds since 1970, SMALLINT for yes and no, BYTEA for sealed values
-- (to SQLite any type name will do). An empty site means every site.

-- +goose Up

-- The keys that seal values, themselves sealed by the master key in the key
-- file. master is the fingerprint of that master key.
CREATE TABLE data_key (
    id         TEXT     NOT NULL PRIMARY KEY,
    purpose    TEXT     NOT NULL,
    master     TEXT     NOT NULL,
    sealed     BYTEA    NOT NULL,
    created_at BIGINT   NOT NULL
);

-- How often the members of a backend have been written: what a running server
-- looks at to learn that something is new.
CREATE TABLE change (
    backend    TEXT     NOT NULL PRIMARY KEY,
    counter    BIGINT   NOT NULL
);

CREATE TABLE member (
    id          TEXT     NOT NULL PRIMARY KEY,
    backend     TEXT     NOT NULL,
    site        TEXT     NOT NULL DEFAULT '',
    login       TEXT     NOT NULL,
    folded      TEXT     NOT NULL,
    name        TEXT     NOT NULL DEFAULT '',
    plans       TEXT     NOT NULL DEFAULT '',
    team        TEXT     NOT NULL DEFAULT '',
    vlan        TEXT     NOT NULL DEFAULT '',
    valid_from  BIGINT,
    valid_until BIGINT,
    devices     INTEGER  NOT NULL DEFAULT 0,
    disabled    SMALLINT NOT NULL DEFAULT 0,
    changed     BIGINT   NOT NULL,
    created_at  BIGINT   NOT NULL,
    updated_at  BIGINT   NOT NULL,
    UNIQUE (backend, folded)
);

-- changed is the counter of the write that last touched the row.
CREATE INDEX member_changed ON member (backend, changed);

-- What is left of a member that was removed, until she comes back: enough for
-- a running server to forget her.
CREATE TABLE member_removed (
    backend    TEXT     NOT NULL,
    folded     TEXT     NOT NULL,
    changed    BIGINT   NOT NULL,
    PRIMARY KEY (backend, folded)
);

CREATE INDEX member_removed_changed ON member_removed (backend, changed);

-- Each value is sealed by itself, bound to the member's row and the column.
CREATE TABLE credential (
    member_id  TEXT     NOT NULL PRIMARY KEY REFERENCES member (id) ON DELETE CASCADE,
    backend    TEXT     NOT NULL,
    site       TEXT     NOT NULL DEFAULT '',
    password   BYTEA,
    nt_hash    BYTEA,
    argon2id   BYTEA,
    updated_at BIGINT   NOT NULL
);

-- The answers of member systems that a cache keeps over a restart.
CREATE TABLE answer (
    backend    TEXT     NOT NULL,
    site       TEXT     NOT NULL DEFAULT '',
    digest     BYTEA    NOT NULL,
    value      BYTEA    NOT NULL,
    keep_until BIGINT   NOT NULL,
    PRIMARY KEY (backend, digest)
);

CREATE INDEX answer_keep_until ON answer (keep_until);

-- +goose Down
DROP TABLE answer;
DROP TABLE credential;
DROP TABLE member_removed;
DROP TABLE member;
DROP TABLE change;
DROP TABLE data_key;
