package warehouse_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/proto"

	"zhiban/deploy/embedded"
	"zhiban/deploy/tlstest"
	"zhiban/schemas/warehouse"
)

// engines are shared by the tests of this package.
var engines *embedded.Engines

func TestMain(m *testing.M) {
	embedded.ChildMain()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "zhiban-warehouse")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		if engines, err = embedded.Start(context.Background(), embedded.Config{Dir: dir, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer engines.Close()
		return m.Run()
	}())
}

// at is the DSN of another address and user, with some parameters.
func at(addr, password, parameters string) string {
	c := engines.ClickHouse()
	c.Addr = addr
	if password != "" {
		c.Password = password
	}
	return c.DSN() + parameters
}

// The library that the tests have speaks no TLS of its own (clickhouse-local has
// listeners for plain TCP and HTTP alone), so what ends TLS here stands in front.
func TestTheWarehouseIsReachedByTLS(t *testing.T) {
	authority := tlstest.New(t)
	own := authority.Issue("projector")
	for name, c := range map[string]struct {
		clients    tls.ClientAuthType
		parameters string
	}{
		"TLS":               {tls.NoClientCert, "?secure=true&tls_ca=" + authority.File},
		"TLS on both sides": {tls.RequireAndVerifyClientCert, "?secure=true&tls_ca=" + authority.File + "&tls_cert=" + own.Cert + "&tls_key=" + own.Key},
		"a server's name":   {tls.NoClientCert, "?secure=true&tls_server_name=localhost&max_threads=1&tls_ca=" + authority.File},
	} {
		t.Run(name, func(t *testing.T) {
			front := authority.Front(engines.ClickHouse().Addr, c.clients)
			dsn := at(front, "", c.parameters)
			if err := warehouse.Migrate(t.Context(), dsn); err != nil {
				t.Fatal(err)
			}
			conn, err := warehouse.Open(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.Exec(t.Context(), "TRUNCATE TABLE parked_v1"); err != nil {
				t.Fatal(err)
			}
			writer := conn.Writer()
			defer writer.Close()
			partition, offset := proto.ColUInt16{0}, proto.ColUInt64{7}
			if err := writer.Insert(t.Context(), "parked_v1", name, proto.Input{{Name: "kafka_partition", Data: partition}, {Name: "kafka_offset", Data: offset}}); err != nil {
				t.Fatal(err)
			}
			var n uint64
			if err := conn.QueryRow(t.Context(), "SELECT kafka_offset FROM parked_v1").Scan(&n); err != nil || n != 7 {
				t.Errorf("read %d, %v", n, err)
			}
		})
	}
}

// Each wrong setting is named, and the password is in no error.
func TestWrongAddressesAreNamed(t *testing.T) {
	authority, other := tlstest.New(t), tlstest.New(t)
	plain := engines.ClickHouse().Addr
	secure, mutual := authority.Front(plain, tls.NoClientCert), authority.Front(plain, tls.RequireAndVerifyClientCert)
	own, foreign := authority.Issue("one"), other.Issue("two")
	const wrong = "Nebelbank"
	known := "?secure=true&tls_ca=" + authority.File
	for name, c := range map[string]struct{ dsn, want string }{
		"unknown authority":          {at(secure, "", "?secure=true"), "tls_ca=FILE"},
		"another authority":          {at(secure, "", "?secure=true&tls_ca="+other.File), "tls_ca=FILE"},
		"plain to TLS":               {at(secure, "", ""), "add secure=true"},
		"TLS to plain":               {at(plain, "", known), "does not speak TLS"},
		"no certificate":             {at(mutual, "", known), "check tls_cert"},
		"another's certificate":      {at(mutual, "", known+"&tls_cert="+foreign.Cert+"&tls_key="+foreign.Key), "check tls_cert"},
		"another name":               {at(secure, "", known+"&tls_server_name=elsewhere"), "tls_server_name=NAME"},
		"wrong password":             {at(secure, wrong, known), "check user and password"},
		"wrong password, plain":      {at(plain, wrong, ""), "check user and password"},
		"certificates without TLS":   {at(plain, wrong, "?tls_ca="+authority.File), "add secure=true"},
		"half a certificate":         {at(plain, wrong, known+"&tls_cert="+own.Cert), "go together"},
		"no such authority":          {at(plain, wrong, "?secure=true&tls_ca=/nowhere/ca.pem"), "/nowhere/ca.pem"},
		"a key for an authority":     {at(plain, wrong, "?secure=true&tls_ca="+own.Key), "holds no certificate"},
		"no such certificate":        {at(plain, wrong, known+"&tls_cert=/nowhere/own.pem&tls_key=/nowhere/own.key"), "/nowhere/own.pem"},
		"password with a slash":      {"clickhouse://zhiban:" + wrong + "/x@" + plain + "/zhiban", "warehouse address"},
		"password with a percent":    {"clickhouse://zhiban:" + wrong + "%zz@" + plain + "/zhiban", "warehouse address"},
		"password with a question":   {"clickhouse://zhiban:" + wrong + "?%zz@" + plain + "/zhiban", "warehouse address"},
		"password as a parameter":    {"clickhouse://" + plain + "/zhiban?username=zhiban&password=" + wrong, "check user and password"},
		"a parameter that is broken": {at(plain, wrong, "?dial_timeout=soon"), "warehouse address"},
		"nobody there":               {at("127.0.0.1:1", wrong, ""), "127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, opened := warehouse.Open(t.Context(), c.dsn)
			for _, err := range []error{opened, warehouse.Migrate(t.Context(), c.dsn)} {
				switch {
				case err == nil || !strings.Contains(err.Error(), c.want):
					t.Errorf("%v, want %q", err, c.want)
				case strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), engines.ClickHouse().Password):
					t.Errorf("the password is in %v", err)
				}
			}
		})
	}
}
