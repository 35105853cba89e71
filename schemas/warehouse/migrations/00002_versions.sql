-- +goose Up

-- What could not be read, as it stands in the log. events + parked of a batch
-- is the length of its range.
-- +goose StatementBegin
CREATE TABLE parked_v1 (
    kafka_partition UInt16,
    kafka_offset    UInt64,
    epoch           UInt32,
    id              UUID, -- of the event, zero when not even that can be read
    type            String,
    source          String,
    subject         String,
    recorded        DateTime64(3, 'Asia/Shanghai'),
    reason          String,
    key             String, -- of the Kafka record
    value           String CODEC(ZSTD(1))
) ENGINE = MergeTree
ORDER BY (kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000,
         fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd

CREATE VIEW parked AS SELECT * FROM parked_v1;

-- The version of the tables that is read and written: the newest row's.
-- +goose StatementBegin
CREATE TABLE versions (
    version  UInt32,
    switched DateTime64(6, 'Asia/Shanghai') DEFAULT now64(6)
) ENGINE = MergeTree ORDER BY switched
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd

INSERT INTO versions (version) VALUES (1);

-- Results of zhiban verify, for the page; the whole report as JSON.
-- +goose StatementBegin
CREATE TABLE verifications (
    ended       DateTime64(3, 'Asia/Shanghai'),
    version     UInt32,
    ok          Bool,
    result      String CODEC(ZSTD(1))
) ENGINE = MergeTree ORDER BY ended
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd

-- +goose Down
DROP TABLE verifications;
DROP TABLE versions;
DROP VIEW parked;
DROP TABLE parked_v1;
