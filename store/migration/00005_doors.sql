-- Who gets in by a device's address, what gives such a way in, and what
-- happened at portals. Times are milliseconds since 1970; mac is
-- "aa:bb:cc:dd:ee:ff"; folded is a login and folded_uid a uid as they are
-- compared. changed is the number of the write that last touched a row of the
-- first three tables: a counter that stands in change under no backend ('').

-- +goose Up

-- Printers and TVs that members have registered. A row with removed is what is
-- left of one, so that a running server learns of it.
CREATE TABLE device (
    mac          TEXT     NOT NULL PRIMARY KEY,
    backend      TEXT     NOT NULL,
    site         TEXT     NOT NULL DEFAULT '',
    login        TEXT     NOT NULL,
    folded       TEXT     NOT NULL,
    name         TEXT     NOT NULL,
    created_at   BIGINT   NOT NULL,
    removed      SMALLINT NOT NULL DEFAULT 0,
    changed      BIGINT   NOT NULL
);

CREATE INDEX device_member ON device (backend, folded);
CREATE INDEX device_changed ON device (changed);

-- Devices that neither grant nor registration lets in. lifted is as removed above.
CREATE TABLE blocked_device (
    mac          TEXT     NOT NULL PRIMARY KEY,
    site         TEXT     NOT NULL DEFAULT '',
    why          TEXT     NOT NULL,
    created_at   BIGINT   NOT NULL,
    lifted       SMALLINT NOT NULL DEFAULT 0,
    changed      BIGINT   NOT NULL
);

CREATE INDEX blocked_device_changed ON blocked_device (changed);

-- One device's way in at one site for a time. A member's has backend and login;
-- a guest's has neither. Timeouts are seconds. A grant that has run out may have
-- no ended_at yet.
CREATE TABLE access_grant (
    page_id      BIGINT   NOT NULL PRIMARY KEY,
    kind         TEXT     NOT NULL,
    mac          TEXT     NOT NULL,
    backend      TEXT     NOT NULL,
    site         TEXT     NOT NULL,
    uid          TEXT     NOT NULL,
    folded_uid   TEXT     NOT NULL,
    login        TEXT     NOT NULL,
    folded       TEXT     NOT NULL,
    plan         TEXT     NOT NULL,
    access_point TEXT     NOT NULL,
    address      TEXT     NOT NULL,
    original_url TEXT     NOT NULL,
    controller   TEXT     NOT NULL,
    session_timeout BIGINT NOT NULL,
    idle_timeout BIGINT   NOT NULL,
    voucher      TEXT     NOT NULL,
    created_at   BIGINT   NOT NULL,
    expires_at   BIGINT   NOT NULL,
    ended_at     BIGINT,
    why          TEXT     NOT NULL DEFAULT '',
    changed      BIGINT   NOT NULL
);

CREATE UNIQUE INDEX access_grant_live ON access_grant (mac, site) WHERE ended_at IS NULL;
CREATE INDEX access_grant_member ON access_grant (backend, folded) WHERE ended_at IS NULL;
CREATE INDEX access_grant_voucher ON access_grant (voucher) WHERE voucher <> '';
CREATE INDEX access_grant_expires ON access_grant (expires_at) WHERE ended_at IS NULL;
CREATE INDEX access_grant_ended ON access_grant (ended_at);
CREATE INDEX access_grant_uid ON access_grant (folded_uid, page_id);
CREATE INDEX access_grant_address ON access_grant (address) WHERE ended_at IS NULL;
CREATE INDEX access_grant_mac ON access_grant (mac, page_id);
CREATE INDEX access_grant_changed ON access_grant (changed);

-- digest is an HMAC of the code with a key that is sealed. expires_at bounds the
-- first use; ends_at is when a voucher is good for nothing any more, as things
-- stand: its first use and a revocation move it.
CREATE TABLE voucher (
    id           TEXT     NOT NULL PRIMARY KEY,
    site         TEXT     NOT NULL DEFAULT '',
    name         TEXT     NOT NULL,
    plan         TEXT     NOT NULL,
    valid_for    BIGINT   NOT NULL,
    devices      INTEGER  NOT NULL,
    uses         INTEGER  NOT NULL DEFAULT 0,
    digest       BYTEA    NOT NULL,
    created_at   BIGINT   NOT NULL,
    expires_at   BIGINT,
    first_used_at BIGINT,
    revoked_at   BIGINT,
    ends_at      BIGINT
);

CREATE UNIQUE INDEX voucher_digest ON voucher (digest);
CREATE INDEX voucher_name ON voucher (name);
CREATE INDEX voucher_ends ON voucher (ends_at);

-- The devices that have used a voucher.
CREATE TABLE voucher_device (
    voucher_id   TEXT     NOT NULL REFERENCES voucher (id) ON DELETE CASCADE,
    site         TEXT     NOT NULL DEFAULT '',
    mac          TEXT     NOT NULL,
    used_at      BIGINT   NOT NULL,
    PRIMARY KEY (voucher_id, mac)
);

-- Each attempt at a portal: what the member system answered (an HTTP status, 0
-- for none) and after how many milliseconds, and what came of it.
CREATE TABLE portal_log (
    id           TEXT     NOT NULL PRIMARY KEY,
    backend      TEXT     NOT NULL,
    site         TEXT     NOT NULL,
    at           BIGINT   NOT NULL,
    mac          TEXT     NOT NULL,
    ip           TEXT     NOT NULL,
    login        TEXT     NOT NULL,
    folded       TEXT     NOT NULL,
    method       TEXT     NOT NULL,
    status       INTEGER  NOT NULL,
    took         BIGINT   NOT NULL,
    outcome      TEXT     NOT NULL,
    reason       TEXT     NOT NULL,
    page_id      BIGINT   NOT NULL
);

CREATE INDEX portal_log_at ON portal_log (at);

-- +goose Down
-- The counter in change stays: the ids of grants are made of it, and none may
-- come twice.
DROP TABLE portal_log;
DROP TABLE voucher_device;
DROP TABLE voucher;
DROP TABLE access_grant;
DROP TABLE blocked_device;
DROP TABLE device;
DELETE FROM data_key WHERE purpose = 'voucher';
