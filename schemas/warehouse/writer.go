package warehouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// Writer inserts whole blocks, a column at a time, over a connection of its own:
// filling ch-go's columns costs a sixth of what clickhouse-go's take, whose
// LowCardinality columns go through reflection. A writer is for one goroutine.
type Writer struct {
	options ch.Options
	client  *ch.Client
}

// Writer prepares a writer to the same server; it connects when it first inserts.
func (c *Conn) Writer() *Writer {
	return &Writer{options: ch.Options{
		Address: c.options.Addr[0], Database: c.options.Auth.Database, User: c.options.Auth.Username, Password: c.options.Auth.Password,
		TLS: c.options.TLS, DialTimeout: c.options.DialTimeout, ReadTimeout: ch.NoTimeout, ClientName: "zhiban",
	}}
}

// insertSettings make one insert one block that is written through to the disk
// and absorbed when its token was seen before.
var insertSettings = []ch.Setting{
	ch.SettingInt("async_insert", 0),
	ch.SettingInt("insert_deduplicate", 1),
	ch.SettingInt("deduplicate_blocks_in_dependent_materialized_views", 1),
}

// Insert writes one block under a deduplication token. After an error its
// outcome is unknown; doing it again with the same token is safe.
func (w *Writer) Insert(ctx context.Context, table, token string, block proto.Input) error {
	if w.client == nil || w.client.IsClosed() {
		client, err := ch.Dial(ctx, w.options)
		if err != nil {
			return fmt.Errorf("connect to the warehouse at %s: %w", w.options.Address, err)
		}
		w.client = client
	}
	err := w.client.Do(ctx, ch.Query{
		Body:  "INSERT INTO " + table + " " + block.Columns() + " VALUES",
		Input: block, Settings: append(insertSettings[:len(insertSettings):len(insertSettings)], ch.Setting{Key: "insert_deduplication_token", Value: token, Important: true}),
	})
	if err != nil { // what is left of the exchange must not meet the next block
		return errors.Join(fmt.Errorf("insert %d rows into %s: %w", block[0].Data.Rows(), table, err), w.Close())
	}
	return nil
}

// Close ends the connection, if there is one.
func (w *Writer) Close() error {
	if w.client == nil || w.client.IsClosed() {
		return nil
	}
	return w.client.Close()
}
