-- +goose Up

-- When members first used plans that are valid for a time from then on: day passes.
CREATE TABLE first_use (
    backend    TEXT     NOT NULL,
    site       TEXT     NOT NULL DEFAULT '',
    folded     TEXT     NOT NULL,
    plan       TEXT     NOT NULL,
    used_at    BIGINT   NOT NULL,
    PRIMARY KEY (backend, folded, plan)
);

-- +goose Down
DROP TABLE first_use;
