package warehouse

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Conn is a connection to the warehouse.
type Conn struct {
	driver.Conn
	options *clickhouse.Options
}

// Open connects by a DSN such as clickhouse://user:password@host:9000/zhiban
// and makes sure the server answers.
func Open(ctx context.Context, dsn string) (*Conn, error) {
	opts, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("warehouse address: %w (expected clickhouse://user:password@host:9000/database)", err)
	}
	conn, err := clickhouse.Open(opts)
	if err != nil {
		return nil, fmt.Errorf("open warehouse: %w", err)
	}
	if err := conn.Ping(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("warehouse at %v does not answer: %w", opts.Addr, err)
	}
	return &Conn{conn, opts}, nil
}

// Migrate brings the tables to the version this program needs. It is safe to
// run again, and does nothing when they are already there.
func Migrate(ctx context.Context, dsn string) error {
	opts, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		return fmt.Errorf("warehouse address: %w", err)
	}
	db := clickhouse.OpenDB(opts)
	defer db.Close()
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(database.DialectClickHouse, db, dir)
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate warehouse: %w", err)
	}
	return nil
}
