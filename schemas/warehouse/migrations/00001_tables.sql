-- +goose Up

-- One insert is one block of one year and one Kafka partition; its token is
-- remembered, so a repeated insert is absorbed. merge_selector_base = 10 instead
-- of 5 takes half the merging of a back-fill, for a few more parts.
-- +goose StatementBegin
CREATE TABLE events_v1 (
    kafka_partition UInt16 CODEC(ZSTD(1)),
    kafka_offset    UInt64 CODEC(Delta, ZSTD(1)),
    epoch           UInt32 CODEC(ZSTD(1)),
    id              UUID CODEC(NONE),
    type            LowCardinality(String) CODEC(ZSTD(1)),
    case_kind       LowCardinality(String) CODEC(ZSTD(1)),
    case_key        String CODEC(ZSTD(1)),
    source          LowCardinality(String) CODEC(ZSTD(1)),
    time            DateTime64(3, 'Asia/Shanghai') CODEC(Delta, ZSTD(1)),
    recorded        DateTime64(3, 'Asia/Shanghai') CODEC(Delta, ZSTD(1)),
    recorded_by     LowCardinality(String) CODEC(ZSTD(1)),
    data            String CODEC(ZSTD(1)),
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_case case_key TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYear(recorded)
ORDER BY (case_kind, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000,
         fsync_after_insert = 1, fsync_part_directory = 1,
         min_bytes_for_wide_part = 536870912,
         merge_selector_base = 10;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE postings_v1 (
    kafka_partition UInt16 CODEC(ZSTD(1)),
    kafka_offset    UInt64 CODEC(Delta, ZSTD(1)),
    epoch           UInt32 CODEC(ZSTD(1)),
    recorded        DateTime64(3, 'Asia/Shanghai') CODEC(Delta, ZSTD(1)),
    indicator       LowCardinality(String) CODEC(ZSTD(1)),
    day             Date CODEC(Delta, ZSTD(1)),
    source          LowCardinality(String) CODEC(ZSTD(1)),
    lawyer          UInt64 CODEC(ZSTD(1)),
    mode            LowCardinality(String) CODEC(ZSTD(1)),
    channel         LowCardinality(String) CODEC(ZSTD(1)),
    person_role     LowCardinality(String) CODEC(ZSTD(1)),
    organ           LowCardinality(String) CODEC(ZSTD(1)),
    trigger         LowCardinality(String) CODEC(ZSTD(1)),
    person          UInt64 CODEC(ZSTD(1)),
    due             Date CODEC(Delta, ZSTD(1)),
    quantity        Int64 CODEC(ZSTD(1))
) ENGINE = MergeTree
PARTITION BY toYear(recorded)
ORDER BY (indicator, day, source, lawyer)
SETTINGS non_replicated_deduplication_window = 10000,
         fsync_after_insert = 1, fsync_part_directory = 1,
         min_bytes_for_wide_part = 536870912,
         merge_selector_base = 10;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TABLE batches_v1 (
    kafka_partition UInt16,
    first_offset    UInt64,
    last_offset     UInt64,
    epoch           UInt32,
    events          UInt32, -- rows in events
    postings        UInt32, -- rows in postings
    parked          UInt32, -- events that went to the dead letters instead
    digest          FixedString(32), -- SHA-256 of the batch's rows
    recorded        DateTime64(3, 'Asia/Shanghai'), -- of the first event
    projected       DateTime64(3, 'Asia/Shanghai') DEFAULT now64(3)
) ENGINE = MergeTree
ORDER BY (kafka_partition, first_offset, epoch)
SETTINGS non_replicated_deduplication_window = 10000,
         fsync_after_insert = 1, fsync_part_directory = 1;
-- +goose StatementEnd

CREATE VIEW events AS SELECT * FROM events_v1;
CREATE VIEW postings AS SELECT * FROM postings_v1;
CREATE VIEW batches AS SELECT * FROM batches_v1;

-- +goose Down
DROP VIEW batches;
DROP VIEW postings;
DROP VIEW events;
DROP TABLE batches_v1;
DROP TABLE postings_v1;
DROP TABLE events_v1;
