-- +goose Up

-- The audit trail as it stands in its topic, whose place is the key: what is
-- copied twice is one. Read it FINAL.
-- +goose StatementBegin
CREATE TABLE IF NOT EXISTS audit (
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    time         DateTime64(3, 'Asia/Shanghai') CODEC(Delta, ZSTD(1)),
    account      String CODEC(ZSTD(1)),
    role         LowCardinality(String) CODEC(ZSTD(1)),
    address      String CODEC(ZSTD(1)),
    action       LowCardinality(String) CODEC(ZSTD(1)),
    object       String CODEC(ZSTD(1)),
    outcome      LowCardinality(String) CODEC(ZSTD(1)),
    detail       String CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree
ORDER BY kafka_offset
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit;
