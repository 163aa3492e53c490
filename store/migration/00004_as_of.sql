-- +goose Up

-- How new what a push said is, of each member that it spoke of, by login ("l:")
-- and by the member system's id ("i:"): an older push that comes later says
-- nothing. Who is no member, or not yet, has a row too. Milliseconds since 1970.
CREATE TABLE as_of (
    backend    TEXT     NOT NULL,
    site       TEXT     NOT NULL DEFAULT '',
    who        TEXT     NOT NULL,
    as_of      BIGINT   NOT NULL,
    PRIMARY KEY (backend, who)
);

-- +goose Down
DROP TABLE as_of;
