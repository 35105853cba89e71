package warehouse

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// migratePacking changes how events lie on the disk, in the tables of all versions;
// a part is rewritten when it is next merged. Measured on nine simulated years:
//
//   - recorded is of whole seconds where a ledger was entered afterwards, which
//     takes a byte an event less;
//   - lengths take less among their texts than as numbers beside them, by a byte and
//     a half an event;
//   - by_id is for looking up one event at a time, which reads the whole index and the
//     granules taken for the right one by mistake: together they are least where
//     mistakes are one in a hundred, and the index is a third smaller than with one in
//     a thousand. by_case is left at that: the projector looks up many cases at once.
func migratePacking() *goose.Migration {
	packed := func(recorded, mistakes, texts string) *goose.GoFunc {
		return &goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
			return everyVersion(ctx, db, func(t Tables) []string {
				events := "ALTER TABLE " + t.Events() + " "
				return []string{
					events + "MODIFY COLUMN recorded DateTime64(3, 'Asia/Shanghai') CODEC(" + recorded + ")",
					events + "DROP INDEX IF EXISTS by_id",
					events + "ADD INDEX by_id id TYPE bloom_filter(" + mistakes + ") GRANULARITY 1",
					events + "MATERIALIZE INDEX by_id",
					events + texts,
				}
			})
		}}
	}
	return goose.NewGoMigration(5,
		packed("GCD, Delta, ZSTD(1)", "0.01", "MODIFY SETTING string_serialization_version = 'single_stream'"),
		packed("Delta, ZSTD(1)", "0.001", "RESET SETTING string_serialization_version"))
}
