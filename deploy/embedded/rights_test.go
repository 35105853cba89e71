package embedded_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	rights "zhiban/deploy/clickhouse"
	"zhiban/deploy/embedded"
	"zhiban/schemas/warehouse"
)

// Each user can do its work and nothing else. The file that says so is the
// server's, too.
func TestUsersHaveTheLeastRights(t *testing.T) {
	e := start(t, t.TempDir())
	if err := warehouse.Migrate(t.Context(), e.ClickHouseAs(rights.Migrate).DSN()); err != nil {
		t.Fatalf("the user for migrating cannot: %v", err)
	}
	const (
		park     = "INSERT INTO parked_v1 (kafka_partition, kafka_offset) VALUES (0, %)"
		repair   = "DELETE FROM parked_v1 WHERE kafka_partition = 0 AND kafka_offset BETWEEN 0 AND 9 SETTINGS lightweight_deletes_sync = 2"
		ask      = "SELECT count() FROM events"
		version  = "SELECT max(version) FROM versions"
		remember = "INSERT INTO verifications (ended, version, ok, result) VALUES (now64(3), 1, true, '{}')"
	)
	rebuild := []string{
		"CREATE TABLE events_v2 AS events_v1", "ALTER TABLE events_v2 MODIFY SETTING merge_selector_base = 20",
		"CREATE OR REPLACE VIEW events AS SELECT * FROM events_v2", "CREATE OR REPLACE VIEW events AS SELECT * FROM events_v1",
	}
	lasting := []string{
		"DROP DATABASE zhiban", "CREATE DATABASE zhiban_other", "CREATE USER other", "GRANT SELECT ON zhiban.* TO zhiban_dashboard",
		"SYSTEM SHUTDOWN", "SYSTEM STOP MERGES zhiban.events_v1", "SELECT * FROM file('/etc/passwd', LineAsString)", "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
		"SELECT * FROM remote('127.0.0.1', system.one)",
		"SELECT * FROM system.processes", "SELECT * FROM system.users", "SELECT * FROM system.server_settings",
		"SHOW CREATE USER zhiban", "SHOW ACCESS",
	}
	const script = "SELECT * FROM executable('id', LineAsString, 'line String')"
	writing := []string{park, repair, remember, "TRUNCATE TABLE events_v1", "INSERT INTO versions (version) VALUES (2)", "OPTIMIZE TABLE events_v1"}
	raising := []string{"SELECT 1 SETTINGS max_execution_time = 0", "SELECT 1 SETTINGS max_execution_time = 301", "SELECT 1 SETTINGS max_memory_usage = 0", "SELECT 1 SETTINGS readonly = 0", "SELECT 1 SETTINGS allow_ddl = 1"}
	for _, user := range []struct {
		name string
		may  []string
		not  [][]string
	}{
		{rights.Migrate, append(append([]string{ask, version, park, repair}, rebuild...), "DROP TABLE events_v2 SYNC"), [][]string{lasting}},
		{rights.Projector, []string{ask, version, park, repair, remember}, [][]string{lasting, rebuild, {script, "TRUNCATE TABLE events_v1", "ALTER TABLE events_v1 ADD COLUMN x Int8", "DROP TABLE events_v1 SYNC", "DROP VIEW events"}}},
		{rights.Dashboard, []string{ask, version, "SELECT count() FROM audit FINAL", "SELECT 1 SETTINGS max_threads = 1", "SELECT 1 SETTINGS max_execution_time = 65"}, [][]string{lasting, rebuild, writing, raising, {script, "DROP TABLE events_v1 SYNC", "SET readonly = 0", "ALTER TABLE events_v1 ADD COLUMN x Int8", "CREATE TEMPORARY TABLE t (n Int8)"}}},
	} {
		options, err := clickhouse.ParseDSN(e.ClickHouseAs(user.name).DSN())
		if err != nil {
			t.Fatal(err)
		}
		options.MaxOpenConns = 1
		conn, err := clickhouse.Open(options)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, query := range user.may {
			if err := conn.Exec(t.Context(), strings.ReplaceAll(query, "%", "7")); err != nil {
				t.Errorf("%s cannot %s: %v", user.name, query, err)
			}
		}
		for _, queries := range user.not {
			for _, query := range queries {
				err := conn.Exec(t.Context(), strings.ReplaceAll(query, "%", "7"))
				if !denied(err) {
					t.Errorf("%s may %s: %v", user.name, query, err)
				}
			}
		}
	}
}

// denied tells an error about rights from any other.
func denied(err error) bool {
	var e *clickhouse.Exception
	const accessDenied, isReadOnly, isConstrained, ddlProhibited = 497, 164, 452, 392
	return errors.As(err, &e) && slices.Contains([]int32{accessDenied, isReadOnly, isConstrained, ddlProhibited}, e.Code)
}

// What would end ClickHouse does not reach it: a wrong password, a user that there is
// not, and clients of something else. It answers as before.
func TestStrangersAreTurnedAway(t *testing.T) {
	dir := t.TempDir()
	e := start(t, dir)
	for _, c := range []embedded.ClickHouse{
		{User: e.ClickHouse().User, Password: "wrong"}, {User: "nobody", Password: e.ClickHouse().Password}, {User: rights.Dashboard, Password: e.ClickHouse().Password},
		{User: "default"}, {},
	} {
		c.Addr, c.Database = e.ClickHouse().Addr, e.ClickHouse().Database
		options, err := clickhouse.ParseDSN(c.DSN())
		if err != nil {
			t.Fatal(err)
		}
		intruder, err := clickhouse.Open(options)
		if err != nil {
			t.Fatal(err)
		}
		defer intruder.Close()
		var refused *clickhouse.Exception
		if err := intruder.Ping(t.Context()); !errors.As(err, &refused) || refused.Code != 516 {
			t.Errorf("user %q: %v", c.User, err)
		}
	}
	for _, first := range []string{"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00", "\x00\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x00\x04abcd\x01\x01\x01\xff\xff\x7f"} {
		client, err := net.Dial("tcp", e.ClickHouse().Addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(client, first); err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(client) // until the connection is ended
		if len(answer) == 0 || answer[0] != 2 {
			t.Errorf("%q is answered %q", first, answer)
		}
		client.Close()
	}
	execute(t, connect(t, e), "SELECT 1")
	closeEngines(t, e)
	log, err := os.ReadFile(filepath.Join(dir, "clickhouse.log"))
	if err != nil || len(log) > 0 {
		t.Errorf("ClickHouse heard of them: %s, %v", log, err)
	}
}
