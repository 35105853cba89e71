package warehouse

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

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

// Open connects by a DSN and makes sure the server answers. An error never has the
// DSN's password. The DSN is that of clickhouse-go,
//
//	clickhouse://user:password@host:9000/zhiban
//	clickhouse://user:password@host:9440/zhiban?secure=true&tls_ca=/etc/zhiban/ca.pem
//
// and may name files, PEM all of them: tls_ca, the authorities that may sign the
// server's certificate, instead of the system's; tls_cert and tls_key, a
// certificate of one's own and its key, for a server that asks for one.
func Open(ctx context.Context, dsn string) (*Conn, error) {
	opts, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(opts)
	if err != nil {
		return nil, fmt.Errorf("open warehouse: %w", err)
	}
	if err := conn.Ping(ctx); err != nil {
		conn.Close()
		return nil, explain(opts, err)
	}
	return &Conn{conn, opts}, nil
}

// Migrate brings the tables to the version this program needs. It is safe to
// run again, and does nothing when they are already there. The DSN is Open's.
func Migrate(ctx context.Context, dsn string) error {
	opts, err := parseDSN(dsn)
	if err != nil {
		return err
	}
	p, err := provider(ctx, opts)
	if err != nil {
		return err
	}
	defer p.Close()
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate warehouse: %w", err)
	}
	return nil
}

// parseDSN takes the files' names out of the DSN, which clickhouse-go would take for
// settings of the server.
func parseDSN(dsn string) (*clickhouse.Options, error) {
	files := map[string]string{"tls_ca": "", "tls_cert": "", "tls_key": ""}
	if address, query, found := strings.Cut(dsn, "?"); found {
		values, err := url.ParseQuery(query)
		if err != nil { // which may be a password with a question mark
			return nil, errors.New("warehouse address: what follows the ? cannot be read; write special characters of user and password as %XX")
		}
		for name := range files {
			files[name] = values.Get(name)
			values.Del(name)
		}
		dsn = address + "?" + values.Encode()
	}
	opts, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("warehouse address: %w (expected clickhouse://user:password@host:9000/database)", err)
	}
	return opts, secure(opts, files["tls_ca"], files["tls_cert"], files["tls_key"])
}

func secure(opts *clickhouse.Options, ca, cert, key string) error {
	switch {
	case opts.TLS == nil && ca+cert+key != "":
		return errors.New("warehouse address: certificates are given without TLS: add secure=true, or leave out tls_ca, tls_cert and tls_key")
	case opts.TLS == nil:
		return nil
	case (cert == "") != (key == ""):
		return errors.New("warehouse address: the own certificate is half given: tls_cert and tls_key go together")
	}
	opts.TLS.MinVersion = tls.VersionTLS12
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return fmt.Errorf("warehouse address: tls_ca: %w", err)
		}
		opts.TLS.RootCAs = x509.NewCertPool()
		if !opts.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("warehouse address: tls_ca %s: holds no certificate in PEM", ca)
		}
	}
	if cert != "" {
		own, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return fmt.Errorf("warehouse address: tls_cert %s, tls_key %s: %w", cert, key, err)
		}
		opts.TLS.Certificates = []tls.Certificate{own}
	}
	return nil
}

// explain says what to do about a server that cannot be used.
func explain(opts *clickhouse.Options, err error) error {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		header    tls.RecordHeaderError
		alert     *net.OpError
		exception *clickhouse.Exception
	)
	const authenticationFailed, alertRecord = 516, "unexpected packet [21]"
	advice := ""
	switch {
	case errors.As(err, &authority):
		advice = "; it shows a certificate of an authority that is not known here: give the authority's with tls_ca=FILE"
	case errors.As(err, &host):
		advice = "; use a name that its certificate has, or say which one with tls_server_name=NAME"
	case errors.As(err, &header):
		advice = "; it does not speak TLS there: leave out secure=true, or give its secure port"
	case errors.As(err, &alert) && alert.Op == "remote error":
		advice = "; it wants a certificate of an authority that it knows: check tls_cert=FILE and tls_key=FILE"
	case opts.TLS == nil && (strings.Contains(err.Error(), alertRecord) || errors.Is(err, io.EOF)):
		advice = "; it may speak TLS there: add secure=true"
	case errors.As(err, &exception) && exception.Code == authenticationFailed:
		advice = "; check user and password"
	}
	return fmt.Errorf("warehouse at %s cannot be used: %w%s", strings.Join(opts.Addr, ","), err, advice)
}

// provider has the migrations, those in SQL and in Go, and a connection of its own.
func provider(ctx context.Context, opts *clickhouse.Options) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	opts.ReadTimeout = time.Hour // while a large table is rewritten the server says nothing
	db := clickhouse.OpenDB(opts)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(explain(opts, err), db.Close())
	}
	p, err := goose.NewProvider(database.DialectClickHouse, db, dir, goose.WithGoMigrations(migrateCodecs(), migratePacking(), migrateRollUps(), migrateSpans()))
	if err != nil {
		return nil, fmt.Errorf("prepare migrations: %w", errors.Join(err, db.Close()))
	}
	return p, nil
}
